"""What the demo puts into the account: functions with alarms, and somebody who listens to pages."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

THRESHOLD = 50
BREACHING = 180
HEALTHY = 4
_NAMESPACE = "AWS/Lambda"
_CODE = "def handler(event, context):\n    return 'sold'\n"
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Workload:
    """A Lambda function and an alarm on one of its metrics, whose actions are the signal topic, if there is one.

    The emulator's alarms look at a metric of all functions together: give each workload a metric of its own.
    """

    clients: Clients
    name: str
    metric: str
    statistic: str
    signal_topic: str | None

    @property
    def alarm(self) -> str:
        """The alarm's name, such as `checkout-ConcurrentExecutions`."""
        return f"{self.name}-{self.metric}"

    def create(self) -> None:
        """Create function and alarm; the alarm has no data yet."""
        role = self.clients("iam").create_role(
            RoleName=f"{self.name}-role",
            AssumeRolePolicyDocument=_policy("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"}),
        )["Role"]["Arn"]
        self.clients("lambda").create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": _zipped(_CODE)},
        )
        self.clients("cloudwatch").put_metric_alarm(
            AlarmName=self.alarm,
            AlarmDescription=f"{self.name} does more than its database can serve",
            Namespace=_NAMESPACE,
            MetricName=self.metric,
            Dimensions=self._dimensions,
            Statistic=self.statistic,
            Period=60,
            EvaluationPeriods=1,
            Threshold=THRESHOLD,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=self._actions,
            OKActions=self._actions,
        )

    def measure(self, *values: float) -> None:
        """Send metric data as Lambda would, one point for each value."""
        self.clients("cloudwatch").put_metric_data(
            Namespace=_NAMESPACE,
            MetricData=[
                {"MetricName": self.metric, "Dimensions": self._dimensions, "Value": value} for value in values
            ],
        )

    def state(self) -> str:
        """The alarm's state in CloudWatch."""
        (alarm,) = self.clients("cloudwatch").describe_alarms(AlarmNames=[self.alarm])["MetricAlarms"]
        return str(alarm["StateValue"])

    def reserved_concurrency(self) -> int | None:
        """The function's reserved concurrency in Lambda; None when none is set."""
        answer = self.clients("lambda").get_function_concurrency(FunctionName=self.name)
        value = answer.get("ReservedConcurrentExecutions")
        return None if value is None else int(value)

    @property
    def _actions(self) -> list[str]:
        return [self.signal_topic] if self.signal_topic else []

    @property
    def _dimensions(self) -> list[dict[str, str]]:
        return [{"Name": "FunctionName", "Value": self.name}]


class Pager:
    """A queue subscribed to the page topic: what really left, whatever our own table says."""

    def __init__(self, clients: Clients, page_topic: str) -> None:
        self._sqs = clients("sqs")
        self._url = str(self._sqs.create_queue(QueueName="demo-pager")["QueueUrl"])
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        policy = _policy(
            "sqs:SendMessage",
            Principal={"Service": "sns.amazonaws.com"},
            Resource=attributes["QueueArn"],
            Condition={"ArnEquals": {"aws:SourceArn": page_topic}},
        )
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        clients("sns").subscribe(TopicArn=page_topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self._heard: list[Mapping[str, Any]] = []

    def pages(self, incident_id: str) -> list[Mapping[str, Any]]:
        """SNS messages heard so far that are about the incident, oldest first."""
        received = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", [])
        for message in received:
            self._heard.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [page for page in self._heard if incident_id in f"{page.get('Subject')}\n{page['Message']}"]


def _policy(action: str, **statement: Any) -> str:
    allowed = {"Effect": "Allow", "Action": action, **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def _zipped(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", code)
    return packed.getvalue()
