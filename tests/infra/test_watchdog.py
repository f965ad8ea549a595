"""The alarms on ourselves, every one by its name: what it looks at, when it fires, and that the watchdog hears it."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from incidentio.communicate.arrival import METRIC
from tests.infra.conftest import Assembly, text


@dataclass(frozen=True)
class Expected:
    """`of` is what its dimension names, of references the beginning. `missing`: what no data counts as."""

    metric: str
    dimension: str
    of: str
    statistic: str = "Maximum"
    period: int = 60
    periods: int = 1
    over: float = 0
    missing: str = "notBreaching"
    comparison: str = "GreaterThanThreshold"


VISIBLE, AGE = "AWS/SQS ApproximateNumberOfMessagesVisible", "AWS/SQS ApproximateAgeOfOldestMessage"
DROPPED = "AWS/Lambda AsyncEventsDropped"
ONE_METRIC = {
    "ingest-dead-letters": Expected(VISIBLE, "QueueName", "IngestingWorkDeadLetters"),
    "outbox-dead-letters": Expected(VISIBLE, "QueueName", "DomainOutboxDeadLetters"),
    "lanes-dead-letters": Expected(VISIBLE, "QueueName", "DomainLaneDeadLetters"),
    "communicate-dead-letters": Expected(VISIBLE, "QueueName", "CommunicatingWorkDeadLetters"),
    "ingest-queue-age": Expected(AGE, "QueueName", "IngestingWorkQueue", periods=2, over=60),
    "communicate-queue-age": Expected(AGE, "QueueName", "CommunicatingWorkQueue", periods=2, over=120),
    "triage-events-dropped": Expected(DROPPED, "FunctionName", "TriagingTriageFunction", "Sum"),
    "conductor-events-dropped": Expected(DROPPED, "FunctionName", "MitigatingConductorFunction", "Sum"),
    "learn-events-dropped": Expected(DROPPED, "FunctionName", "LearningLearnFunction", "Sum"),
    "sweeper-events-dropped": Expected(DROPPED, "FunctionName", "SweepingSweeperFunction", "Sum"),
    "publisher-behind": Expected(
        "AWS/Lambda IteratorAge", "FunctionName", "DomainPublisherFunction", periods=2, over=60_000
    ),
    "playbook-failed": Expected("AWS/Events TriggeredRules", "RuleName", "MitigatingRecoveryRule", "Sum"),
    "sweep-stopped": Expected(
        "AWS/Lambda Invocations", "FunctionName", "SweepingSweeperFunction", "Sum", periods=5, over=1,
        missing="breaching", comparison="LessThanThreshold",
    ),
    "heartbeat-missing": Expected(
        f"incidentio {METRIC}", "service", "communicate", period=300, periods=3, over=60, missing="breaching",
    ),
}  # fmt: skip
FAILING = {
    "ingest-failing": "IngestingIngestFunction",
    "publisher-failing": "DomainPublisherFunction",
    "control-failing": "MitigatingControlFunction",
    "communicate-failing": "CommunicatingCommunicateFunction",
    "api-failing": "HttpApiFunction",
    "webhooks-failing": "HooksDoorFunction",
    "triage-failing": "TriagingTriageFunction",
    "conductor-failing": "MitigatingConductorFunction",
    "learn-failing": "LearningLearnFunction",
    "sweeper-failing": "SweepingSweeperFunction",
}


def alarms(assembly: Assembly, stack: str = "incidentio") -> dict[str, dict[str, Any]]:
    """Properties by name, without the stack's: ingest knows ours by it and leaves them alone."""
    found = [r["Properties"] for r in assembly.resources("AWS::CloudWatch::Alarm").values()]
    assert all(alarm["AlarmName"].startswith(f"{stack}-") for alarm in found)
    return {alarm["AlarmName"].removeprefix(f"{stack}-"): alarm for alarm in found}


def dimensions(metric: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and value; a reference by what it names, without CDK's hash."""
    return [(d["Name"], _named(text(d["Value"]))) for d in metric["Dimensions"]]


def _named(value: str) -> str:
    return re.sub(r"^<(\w+?)[0-9A-F]{8}(\.\w+)?>$", r"\1", value)


def test_these_are_all_and_each_tells_the_watchdog_topic(assembly: Assembly, opted: Assembly) -> None:
    for built, stack in ((assembly, "incidentio"), (opted, "second")):
        found = alarms(built, stack)
        assert found.keys() == ONE_METRIC.keys() | FAILING.keys()
        for name, alarm in found.items():
            for actions in (alarm["AlarmActions"], alarm["OKActions"]):
                assert [_named(text(action)) for action in actions] == ["TellingWatchdog"], name
            assert alarm.get("ActionsEnabled", True) is True, name


@pytest.mark.parametrize("name", ONE_METRIC)
def test_an_alarm_looks_at_its_metric_and_knows_what_silence_means(assembly: Assembly, name: str) -> None:
    alarm, expected = alarms(assembly)[name], ONE_METRIC[name]
    assert f"{alarm['Namespace']} {alarm['MetricName']}" == expected.metric
    assert dimensions(alarm) == [(expected.dimension, expected.of)]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == (
        expected.statistic, expected.period, expected.periods,
    )  # fmt: skip
    assert alarm.get("DatapointsToAlarm", expected.periods) == expected.periods
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == (expected.comparison, expected.over)
    assert alarm["TreatMissingData"] == expected.missing


@pytest.mark.parametrize("name", FAILING)
def test_a_function_that_fails_or_is_throttled_in_three_of_five_minutes_is_told_of(
    assembly: Assembly, name: str
) -> None:
    alarm = alarms(assembly)[name]
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (5, 3)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
    assert alarm["TreatMissingData"] == "notBreaching"
    (total,) = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
    parts = {query["Id"]: query["MetricStat"] for query in alarm["Metrics"] if query is not total}
    # Who is only throttled sends no Errors, and arithmetic with a missing value has none:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    assert total["Expression"] == "SUM([FILL(errors, 0), FILL(throttles, 0)])"
    assert {id: part["Metric"]["MetricName"] for id, part in parts.items()} == {
        "errors": "Errors", "throttles": "Throttles",
    }  # fmt: skip
    for part in parts.values():
        assert (part["Metric"]["Namespace"], part["Stat"], part["Period"]) == ("AWS/Lambda", "Sum", 60)
        assert dimensions(part["Metric"]) == [("FunctionName", FAILING[name])]


def test_the_heartbeats_alarm_looks_where_communicate_writes_its_metric(assembly: Assembly) -> None:
    writes = next(f for h, f in assembly.functions.items() if "communicate" in h)["Environment"]["Variables"]
    alarm = alarms(assembly)["heartbeat-missing"]
    assert alarm["Namespace"] == writes["POWERTOOLS_METRICS_NAMESPACE"]
    assert dimensions(alarm) == [("service", writes["POWERTOOLS_SERVICE_NAME"])]
