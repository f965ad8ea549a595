"""What people are told of a function: set-up, changes, load against the hour before, limits and what feeds it."""

from datetime import timedelta
from typing import Any

from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import ARN, PLACE

TARGET = f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout"
SETUP: dict[str, Any] = {
    "Runtime": "python3.13",
    "MemorySize": 512,
    "Timeout": 30,
    "LastModified": "2026-03-01T11:58:03.000+0000",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "Environment": {"Variables": {"PASSWORD": "hunter2"}},
}
BEFORE, NOW = timedelta(minutes=90), timedelta(minutes=10)
LOAD: dict[tuple[str, str], dict[timedelta, float]] = {
    ("Invocations", "Sum"): {BEFORE: 900, NOW: 1200},
    ("Errors", "Sum"): {BEFORE: 2, NOW: 45},
    ("Throttles", "Sum"): {NOW: 7},
    ("Duration", "Sum"): {BEFORE: 90_000, NOW: 600_000},
    ("Duration", "SampleCount"): {BEFORE: 900, NOW: 1200},
    ("Duration", "Maximum"): {BEFORE: 400, NOW: 30_000},
    ("ConcurrentExecutions", "Maximum"): {BEFORE: 12, NOW: 50},
}


def facts(load: Any = LOAD, **changed: Any) -> list[str]:
    def statistics(**asked: Any) -> dict[str, Any]:
        (statistic,) = asked["Statistics"]
        points = load.get((asked["MetricName"], statistic), {})
        return {
            "Datapoints": [{"Timestamp": asked["EndTime"] - ago, statistic: value} for ago, value in points.items()]
        }

    call = Answers(
        **{
            "get_function_configuration": SETUP,
            "list_aliases": {"Aliases": []},
            "list_versions_by_function": {"Versions": [{"Version": "$LATEST"}]},
            "get_function_concurrency": {},
            "get_account_settings": {
                "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 950}
            },
            "get_metric_statistics": statistics,
            "list_event_source_mappings": {"EventSourceMappings": []},
            **changed,
        }
    )
    answer = compare_and_set.apply(
        prepared("look-at-function", {}, TARGET, PLACE), call, {"before": None, "after": None}
    )
    found: list[str] = answer["facts"]
    assert all(len(fact) <= 300 for fact in found)
    return found


def test_the_last_hour_is_told_next_to_the_one_before() -> None:
    assert facts() == [
        "python3.13, 512 MB, timeout 30 s, Active",
        "last changed 2026-03-01 11:58 UTC",
        "no version is published",
        "calls 1200 in the last hour, 900 in the hour before",
        "errors 45 in the last hour, 2 in the hour before",
        "throttled 7 in the last hour, 0 in the hour before",
        (
            "duration 500 ms on average in the last hour, 100 in the hour before; "
            "30000 ms at most of the 30000 allowed, which is its timeout"
        ),
        "no reserved concurrency: it shares 950 of the account's 1000 with all others that have none",
        "ran 50 copies at once at most in the last hour, 12 in the hour before",
        "all functions of the account ran 50 at once at most in the last hour",
        "no event source mapping feeds it",
    ]


def test_nobody_reads_its_environment() -> None:
    assert "hunter2" not in " ".join(facts())


def test_a_failed_update_and_a_failed_state_say_why() -> None:
    broken = {
        "State": "Failed",
        "StateReason": "the subnet is gone",
        "LastUpdateStatus": "Failed",
        "LastUpdateStatusReason": "no such layer",
    }
    setup, changed, *_ = facts(get_function_configuration=SETUP | broken)
    assert setup.endswith("Failed (the subnet is gone)")
    assert changed.endswith(", the update is Failed: no such layer")


def test_versions_by_number_and_where_the_aliases_point() -> None:
    def pages(Marker: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        numbers = ("10", "11") if Marker else ("$LATEST", "2", "9")
        told = [
            {"Version": n, "LastModified": f"2026-03-01T{n.zfill(2)[-2:]}:00:00.000+0000"}
            for n in numbers
            if n != "$LATEST"
        ]
        return {"Versions": [*told, {"Version": "$LATEST"}], **({} if Marker else {"NextMarker": "more"})}

    canary = {"Name": "live", "FunctionVersion": "10", "RoutingConfig": {"AdditionalVersionWeights": {"11": 0.1}}}
    told = facts(list_versions_by_function=pages, list_aliases={"Aliases": [canary]})
    assert (
        "newest published versions: 11 (2026-03-01 11:00 UTC), 10 (2026-03-01 10:00 UTC), 9 (2026-03-01 09:00 UTC)"
        in told
    )
    assert "alias live is version 10, 10% of the calls go to version 11" in told


def test_what_limits_it() -> None:
    assert "reserved concurrency 50 of the account's 1000: it was reached in the last hour" in facts(
        get_function_concurrency={"ReservedConcurrentExecutions": 50}
    )
    assert "reserved concurrency 0 of the account's 1000: it is stopped" in facts(
        get_function_concurrency={"ReservedConcurrentExecutions": 0}
    )
    full = LOAD | {("ConcurrentExecutions", "Maximum"): {NOW: 1000}}
    assert "all functions of the account ran 1000 at once at most in the last hour: the quota was reached" in facts(
        full
    )


def test_what_feeds_it_and_through_which_alias() -> None:
    def mappings(FunctionName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        queue = {
            "UUID": "a" * 36,
            "EventSourceArn": ARN("sqs", "orders"),
            "State": "Enabled",
            "BatchSize": 10,
            "ScalingConfig": {"MaximumConcurrency": 5},
            "LastProcessingResult": "OK",
        }
        stream = {
            "UUID": "b" * 36,
            "EventSourceArn": ARN("kinesis", "stream/clicks"),
            "State": "Disabled",
            "BatchSize": 100,
            "LastProcessingResult": "PROBLEM: Function call failed",
        }
        return {"EventSourceMappings": [queue, stream] if FunctionName.endswith(":live") else [queue]}

    aliases = {"Aliases": [{"Name": "live", "FunctionVersion": "1"}]}
    told = facts(list_event_source_mappings=mappings, list_aliases=aliases)
    assert told[-2:] == [
        "orders feeds it: Enabled, at most 5 at once, batches of 10",
        "stream/clicks feeds it: Disabled, batches of 100, last result: PROBLEM: Function call failed",
    ]


def test_who_is_not_called_has_no_load() -> None:
    assert "nobody called it in the last two hours" in facts({})
