"""One test's hold on the deployed app: real clients, waits by condition, pages counted at a subscriber."""

import contextlib
import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from incidentio.aws.table import DynamoTable
from incidentio.core.members import pointer_key
from incidentio.core.routing import Routing
from infra.local.environment import local_client

T = TypeVar("T")
PATIENCE = 90.0
"""What failed once comes back only when its queue shows it again, after 35 seconds."""
ANSWER_SECONDS = 60.0
"""For one request. A function may take half of that on a busy machine, where its first start is slow."""


def eventually(probe: Callable[[], T], what: str, *, seconds: float = PATIENCE) -> T:
    """The first truthy answer of `probe`; fails naming what did not happen.

    It is asked less and less often: what asks through the API takes the cores from what it waits for.
    """
    deadline, pause = time.monotonic() + seconds, 0.1
    while True:
        if answer := probe():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"within {seconds:g} s this did not happen: {what} (last answer: {answer!r})")
        time.sleep(pause)
        pause = min(1.3 * pause, 0.5)


class Person:
    """An IAM user (or assumed role) who calls the API with signed requests."""

    def __init__(self, world: "World", credentials: Credentials) -> None:
        self._world = world
        self.credentials = credentials

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        url = self._world.outputs["ApiUrl"].rstrip("/") + path
        data = None if body is None else json.dumps(body)
        sent = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        request = AWSRequest(method=method, url=url, data=data, headers=sent)
        SigV4Auth(self.credentials, "execute-api", self._world.description["region"]).add_auth(request)
        return requests.request(method, url, data=data, headers=dict(request.headers), timeout=ANSWER_SECONDS)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        answer = self.call("POST", path, body or {}, **headers)
        assert answer.status_code < 300, answer.text
        return answer.json()


class World:
    """Everything is named with `self.tag`, so tests share one target without meeting each other."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.outputs: dict[str, str] = description["outputs"]
        self.tag = uuid.uuid4().hex[:8]
        self._seen: list[dict[str, Any]] = []
        self._subscriptions: list[str] = []
        self._functions: list[str] = []

    # --- clients and people

    def client(self, service: str, person: Person | None = None) -> Any:
        """A client of `person`; of the account's owner where nobody is named."""
        port = int(self.description["endpoint_url"].rsplit(":", 1)[1])
        if person is None:
            return local_client(service, port)
        key = person.credentials
        return local_client(service, port, access_key_id=key.access_key, secret_access_key=key.secret_key)

    def person(self, name: str) -> Person:
        """A new IAM user who may call the API."""
        iam = self.client("iam")
        user = f"{name}-{self.tag}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="api", PolicyDocument=_may_call_the_api())
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return Person(self, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))

    def role_session(self, role: str, session: str) -> Person:
        """Somebody who assumed `role` (made on first use) under a session name of his choice."""
        iam = self.client("iam")
        name = f"{role}-{self.tag}"
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(
                RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            )
        iam.put_role_policy(RoleName=name, PolicyName="api", PolicyDocument=_may_call_the_api())
        arn = f"arn:aws:iam::{self.description['account']}:role/{name}"
        key = self.client("sts").assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
        return Person(self, Credentials(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"]))

    @cached_property
    def alice(self) -> Person:
        return self.person("alice")

    @cached_property
    def bob(self) -> Person:
        return self.person("bob")

    @cached_property
    def carol(self) -> Person:
        return self.person("carol")

    # --- the watched estate

    def function(
        self, name: str = "checkout", *, concurrency: int | None = None, tags: dict[str, str] | None = None
    ) -> str:
        """A real Lambda function to act on; returns its name."""
        full = f"{name}-{self.tag}"
        client = self.client("lambda")
        self._functions.append(full)
        client.create_function(
            FunctionName=full,
            Runtime="python3.13",
            Handler="index.handler",
            Role=self._function_role,
            Code={"ZipFile": _empty_function()},
            Tags=tags or {},
        )
        if concurrency is not None:
            client.put_function_concurrency(FunctionName=full, ReservedConcurrentExecutions=concurrency)
        return full

    def leave(self) -> None:
        """Give back what other tests share: the pool of concurrency, and the time it takes to tell everybody."""
        client = self.client("lambda")
        for function in self._functions:
            with contextlib.suppress(client.exceptions.ResourceNotFoundException):
                client.delete_function(FunctionName=function)
        for subscription in self._subscriptions:
            self.client("sns").unsubscribe(SubscriptionArn=subscription)

    @cached_property
    def _function_role(self) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.client("iam").create_role(RoleName=f"shop-{self.tag}", AssumeRolePolicyDocument=document)
        return str(role["Role"]["Arn"])

    def concurrency(self, function: str) -> int | None:
        """Reserved concurrency as Lambda itself tells it."""
        answer = self.client("lambda").get_function_concurrency(FunctionName=function)
        return answer.get("ReservedConcurrentExecutions")

    def alarm(
        self,
        name: str = "checkout-concurrency",
        *,
        function: str | None = None,
        attached: bool = True,
        tags: dict[str, str] | None = None,
        metric: str = "ConcurrentExecutions",
    ) -> str:
        """A real metric alarm; returns its name. Attached means: its actions are our signal topic."""
        full = name if name.startswith("TargetTracking-") else f"{name}-{self.tag}"
        actions = [self.outputs["SignalTopicArn"]] if attached else []
        self.client("cloudwatch").put_metric_alarm(
            AlarmName=full,
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": function or f"checkout-{self.tag}"}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=actions,
            OKActions=actions,
            Tags=[{"Key": k, "Value": v} for k, v in (tags or {}).items()],
        )
        return full

    def alarm_arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch:{self.description['region']}:{self.description['account']}:alarm:{name}"

    def set_alarm(self, name: str, state: str, reason: str = "test") -> None:
        self.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)

    def send(self, message: dict[str, Any] | str) -> None:
        """Put a message on the ingest queue, as EventBridge would."""
        body = message if isinstance(message, str) else json.dumps(message)
        self.client("sqs").send_message(QueueUrl=self.outputs["IngestQueueUrl"], MessageBody=body)

    def send_together(self, messages: list[dict[str, Any]]) -> None:
        """At most ten, which as a rule arrive in one delivery: one after the other they may overtake each other."""
        entries = [{"Id": str(n), "MessageBody": json.dumps(message)} for n, message in enumerate(messages)]
        answer = self.client("sqs").send_message_batch(QueueUrl=self.outputs["IngestQueueUrl"], Entries=entries)
        assert not answer.get("Failed"), answer

    def state_change(
        self, alarm: str, state: str, *, at: datetime | None = None, tags: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The EventBridge shape of one state change of `alarm`."""
        at = at or datetime.now(UTC)
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
        detail: dict[str, Any] = {
            "alarmName": alarm,
            "state": {"value": state, "reason": "Threshold Crossed", "timestamp": stamp},
            "previousState": {"value": "OK" if state != "OK" else "ALARM", "reason": "", "timestamp": stamp},
            "configuration": {
                "metrics": [
                    {
                        "id": "m1",
                        "metricStat": {
                            "metric": {
                                "namespace": "AWS/Lambda",
                                "name": "ConcurrentExecutions",
                                "dimensions": {"FunctionName": f"checkout-{self.tag}"},
                            },
                            "period": 60,
                            "stat": "Maximum",
                        },
                        "returnData": True,
                    }
                ]
            },
        }
        if tags:
            detail["alarmTags"] = tags
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": self.description["account"],
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.description["region"],
            "resources": [self.alarm_arn(alarm)],
            "detail": detail,
        }

    # --- what the app made of it

    def incidents_of(self, alarm: str, **filters: str) -> list[dict[str, Any]]:
        """Every incident whose title or subject is `alarm`, whatever its status."""
        query = "&".join(f"{k}={v}" for k, v in {"limit": "100", **filters}.items())
        found: dict[str, None] = {}  # one that ends meanwhile may be listed as open and as ended
        path = f"/incidents?{query}"
        while path:
            page = self.alice.get(path)
            found |= {card["id"]: None for card in page["items"] if alarm in card["title"]}
            path = f"/incidents?{query}&cursor={page['next']}" if page["next"] else ""
        return [self.incident(incident_id) for incident_id in found]

    def the_incident_of(self, alarm: str, *, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait for the one incident of `alarm`; two are a failure."""
        found = eventually(lambda: self.incidents_of(alarm), f"an incident of {alarm}", seconds=seconds)
        assert len(found) == 1, [i["id"] for i in found]
        return found[0]

    def incident(self, incident_id: str) -> dict[str, Any]:
        incident: dict[str, Any] = self.alice.get(f"/incidents/{incident_id}")
        return incident

    def timeline(self, incident_id: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        path = f"/incidents/{incident_id}/timeline?limit=100"
        while True:
            page = self.alice.get(path)
            entries += page["items"]
            if not page["next"]:
                return entries
            path = f"/incidents/{incident_id}/timeline?limit=100&cursor={page['next']}"

    def types(self, incident_id: str) -> list[str]:
        return [entry["type"] for entry in self.timeline(incident_id)]

    def entry(self, incident_id: str, type: str, *, seconds: float = PATIENCE) -> dict[str, Any]:
        """Wait for the first timeline entry of `type`."""

        def found() -> dict[str, Any] | None:
            return next((e for e in self.timeline(incident_id) if e["type"] == type), None)

        entry = eventually(found, f"{type} on {incident_id}", seconds=seconds)
        assert entry is not None
        return entry

    def until_status(self, incident_id: str, status: str, *, seconds: float = PATIENCE) -> dict[str, Any]:
        eventually(lambda: self.incident(incident_id)["status"] == status, f"{incident_id} {status}", seconds=seconds)
        return self.incident(incident_id)

    def heard(self, dedup_key: str) -> dict[str, Any]:
        """The signal's own record: `count`, `last_seen_at`, `state`, `incident_id`, …; empty where there is none."""
        table = DynamoTable(self.client("dynamodb"), self.outputs["TableName"], Routing())
        return dict(table.get(pointer_key(dedup_key)) or {})

    # --- pages, counted where people stand

    @cached_property
    def _mailbox(self) -> str:
        sqs, sns = self.client("sqs"), self.client("sns")
        url: str = sqs.create_queue(QueueName=f"people-{self.tag}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _anybody_may_send_to(arn)})
        for topic in ("PageTopicArn", "TicketTopicArn", "TestTopicArn"):
            answer = sns.subscribe(TopicArn=self.outputs[topic], Protocol="sqs", Endpoint=arn)
            self._subscriptions.append(answer["SubscriptionArn"])
        return url

    def mailbox_with(self, topic_arn: str, filter_policy: dict[str, list[str]]) -> Callable[[], list[str]]:
        """A subscriber who wants only some of the messages; returns what reads the ids of the incidents in them."""
        sqs, sns = self.client("sqs"), self.client("sns")
        url: str = sqs.create_queue(QueueName=f"picky-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _anybody_may_send_to(arn)})
        wanted = {"FilterPolicy": json.dumps(filter_policy)}
        answer = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=wanted)
        self._subscriptions.append(answer["SubscriptionArn"])
        seen: list[str] = []

        def read() -> list[str]:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                seen.append(json.loads(message["Body"])["MessageAttributes"]["incident_id"]["Value"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return seen

        return read

    def subscribe(self, topic_arn: str) -> None:
        """A confirmed subscriber of `topic_arn` whose messages nobody reads."""
        url = self.client("sqs").create_queue(QueueName=f"reader-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        attributes = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        self.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def listen(self) -> "World":
        """Subscribe to the people's topics from now on."""
        assert self._mailbox
        return self

    def told(self, incident_id: str, *, topic: str | None = None, event: str | None = None) -> list[dict[str, Any]]:
        """What was published about `incident_id` so far, in the form of `everything_told`."""
        return [
            page
            for page in self.everything_told()
            if page["attributes"].get("incident_id") == incident_id
            and (topic is None or page["topic"] == self.outputs[topic])
            and (event is None or page["attributes"].get("event") == event)
        ]

    def everything_told(self) -> list[dict[str, Any]]:
        """What was published since `listen`: {topic, at, subject, body, attributes}; `at` is when, by SNS."""
        sqs = self.client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._mailbox, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                envelope = json.loads(message["Body"])
                self._seen.append(
                    {
                        "topic": envelope["TopicArn"],
                        "at": datetime.fromisoformat(envelope["Timestamp"]),
                        "subject": envelope.get("Subject", ""),
                        "body": envelope["Message"],
                        "attributes": {k: v["Value"] for k, v in envelope.get("MessageAttributes", {}).items()},
                    }
                )
                sqs.delete_message(QueueUrl=self._mailbox, ReceiptHandle=message["ReceiptHandle"])
        return self._seen

    # --- playbooks

    def request(self, person: Person, incident_id: str, playbook: str, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = person.post(f"/incidents/{incident_id}/playbooks/{playbook}", body)
        return answer

    def rehearse(self, service: str, playbook: str, target: str) -> dict[str, Any]:
        """The drill of a rehearsal that is over: from then on the playbook may start by itself for the service."""
        asked = self.alice.post(f"/playbooks/{playbook}/rehearsals", {"service": service, "target": target})
        drill = asked["incident_id"]
        return eventually(lambda: self._cancelled(drill), f"the rehearsal {asked['id']} to end")

    def _cancelled(self, incident_id: str) -> dict[str, Any] | None:
        found = self.incident(incident_id)
        return found if found["status"] == "cancelled" else None

    def approval(self, incident_id: str) -> dict[str, Any]:
        """Wait for the pending approval of the incident."""

        def pending() -> list[dict[str, Any]]:
            items = self.alice.get(f"/incidents/{incident_id}/approvals")["items"]
            return [a for a in items if a["status"] == "pending"]

        return eventually(pending, f"an approval asked on {incident_id}")[0]

    def decide(self, person: Person, approval: dict[str, Any], decision: str = "approve") -> requests.Response:
        body = {"decision": decision, "reason": "test"}
        return person.call("POST", f"/approvals/{approval['id']}", body)

    def execution_status(self, playbook: str, run_id: str) -> str:
        """The status Step Functions itself gives of the run's execution."""
        states = self.client("stepfunctions")
        for machine in states.list_state_machines()["stateMachines"]:
            if machine["name"].endswith(f"-{playbook}"):
                arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{run_id}"
                return str(states.describe_execution(executionArn=arn)["status"])
        raise AssertionError(f"there is no state machine of {playbook}")


def _may_call_the_api() -> str:
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def _anybody_may_send_to(queue_arn: str) -> str:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue_arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def _empty_function() -> bytes:
    import io
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return None\n")
    return buffer.getvalue()
