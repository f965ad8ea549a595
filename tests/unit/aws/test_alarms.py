"""DescribeAlarms as botocore documents it → our alarms, page by page."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from incidentio.aws.alarms import CloudWatchAlarms
from incidentio.aws.queue import SqsQueue
from incidentio.core.errors import Forbidden, Unavailable
from tests.offline import offline_client

AT = datetime(2026, 3, 4, 9, 13, tzinfo=UTC)
EARLIER = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
ASKED: dict[str, Any] = {"StateValue": "ALARM", "AlarmTypes": ["CompositeAlarm", "MetricAlarm", "LogAlarm"]}


def client(service: str) -> Any:
    return offline_client(service)


def item(name: str, **fields: Any) -> dict[str, Any]:
    arn = f"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}"
    return {"AlarmName": name, "AlarmArn": arn, "StateUpdatedTimestamp": AT, **fields}


def test_every_kind_from_every_page() -> None:
    cloudwatch = client("cloudwatch")
    dimension = {"Name": "FunctionName", "Value": "checkout"}
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [dimension]}
    math = [
        {"Id": "e", "Expression": "a * 100"},
        {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
    ]
    plain = item("plain", **metric, AlarmActions=["arn:t"], ActionsEnabled=True, StateTransitionedTimestamp=EARLIER)
    first = {
        "MetricAlarms": [plain],
        "CompositeAlarms": [item("both", ActionsSuppressedBy="Alarm")],
        "LogAlarms": [item("log")],
    }
    with Stubber(cloudwatch) as stub:
        stub.add_response("describe_alarms", {**first, "NextToken": "n"}, ASKED)
        stub.add_response(
            "describe_alarms", {"MetricAlarms": [item("math", Metrics=math)]}, {**ASKED, "NextToken": "n"}
        )
        found = {alarm.name: alarm for alarm in CloudWatchAlarms(cloudwatch).firing()}
    assert set(found) == {"plain", "both", "math", "log"}
    assert (found["plain"].changed_at, found["plain"].actions) == (EARLIER, ("arn:t",))
    assert found["plain"].dimensions == found["math"].dimensions == {"FunctionName": "checkout"}
    assert (found["log"].metric, found["log"].dimensions) == ("", {})
    assert (found["both"].suppressed_by, found["both"].metric, found["both"].changed_at) == ("Alarm", "", AT)


def test_no_permission_is_said_so() -> None:
    cloudwatch = client("cloudwatch")
    with Stubber(cloudwatch) as stub:
        stub.add_client_error("describe_alarms", "AccessDenied")
        with pytest.raises(Forbidden):
            list(CloudWatchAlarms(cloudwatch).firing())


def test_a_queue_takes_ten_at_a_time_and_a_refusal_is_an_error() -> None:
    sqs, sent = client("sqs"), []

    class Counting:
        def send_message_batch(self, **given: Any) -> dict[str, Any]:
            sent.append(len(given["Entries"]))
            return {"Failed": [{"Code": "InternalError"}]} if len(sent) == 3 else {}

    with pytest.raises(Unavailable, match="InternalError"):
        SqsQueue(Counting(), "url").send_all(["x"] * 25)
    assert sent == [10, 10, 5]
    sent[:] = [0] * 3  # past the refusal
    SqsQueue(Counting(), "url").send_all(["x" * 100_000] * 5 + ["x" * 300_000])
    assert sent[3:] == [2, 2, 1, 1], "large ones in smaller batches, each in one"
    with Stubber(sqs) as stub:
        attributes = {"reason": {"DataType": "String", "StringValue": "why"}}
        expected = {"QueueUrl": "url", "MessageBody": "x", "MessageAttributes": attributes}
        stub.add_response("send_message", {"MessageId": "1"}, expected)
        SqsQueue(sqs, "url").send("x", {"reason": "why"})
