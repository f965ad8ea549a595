"""Alarm to page on the local target, and the same over a bare SNS → SQS → no-op Lambda → SNS path in the same run."""

import io
import json
import statistics
import time
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

from tests.e2e.world import World
from tests.load.rows import Row, row

_ALARMS = 40
_FORWARD = """
import os, boto3
topic, sns = os.environ["TOPIC"], boto3.client("sns")
def handler(event, context):
    for record in event["Records"]:
        sns.publish(TopicArn=topic, Message=record["body"])
"""


def measure(description: dict[str, Any]) -> Iterator[Row]:
    world = World(description).listen()
    ours = [_alarm_to_page(world, n) for n in range(_ALARMS)][2:]
    floor = _floor(world)
    yield row("alarm_to_page_p50_s", statistics.median(ours))
    yield row("alarm_to_page_p99_s", statistics.quantiles(ours, n=100, method="inclusive")[98])
    yield row("alarm_to_page_over_floor", statistics.median(ours) / statistics.median(floor))


def _alarm_to_page(world: World, n: int) -> float:
    alarm = world.alarm(f"bench-{n}", tags={"severity": "SEV1"})
    start = time.perf_counter()
    world.set_alarm(alarm, "ALARM")
    _receive(world, lambda envelope: alarm in envelope["Message"])
    return time.perf_counter() - start


def _receive(world: World, wanted: Any) -> None:
    """Drain the people's mailbox until the wanted message is there; 30 s at most."""
    sqs, deadline = world.client("sqs"), time.perf_counter() + 30
    while time.perf_counter() < deadline:
        answer = sqs.receive_message(QueueUrl=world._mailbox, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=world._mailbox, ReceiptHandle=message["ReceiptHandle"])
            if wanted(json.loads(message["Body"])):
                return
    raise TimeoutError("no message within 30 s")


def _floor(world: World) -> list[float]:
    """The same hops with nothing in between."""
    topic, queue = _bare_path(world)
    sns, times = world.client("sns"), []
    for _ in range(_ALARMS):
        token = uuid.uuid4().hex
        start = time.perf_counter()
        sns.publish(TopicArn=topic, Message=token)
        _receive(world, lambda envelope, token=token: token in envelope["Message"])
        times.append(time.perf_counter() - start)
    world.client("sqs").delete_queue(QueueUrl=queue)
    return times[2:]


def _bare_path(world: World) -> tuple[str, str]:
    account = world.description["account"]
    sns, sqs, functions, iam = (world.client(name) for name in ("sns", "sqs", "lambda", "iam"))
    topic = sns.create_topic(Name=f"bare-{world.tag}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"bare-{world.tag}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    anything = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [anything]})}
    )
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    role = f"bare-{world.tag}"
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    allowed = {"Effect": "Allow", "Action": ["sns:Publish", "sqs:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName=role,
        PolicyName="bare",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", _FORWARD)
    functions.create_function(
        FunctionName=f"bare-{world.tag}",
        Runtime="python3.13",
        Handler="index.handler",
        Role=f"arn:aws:iam::{account}:role/{role}",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"TOPIC": world.outputs["PageTopicArn"]}},
    )
    functions.create_event_source_mapping(FunctionName=f"bare-{world.tag}", EventSourceArn=arn, BatchSize=10)
    return topic, queue
