"""A generated estate: 300 alarms, 14 days of their history, and a CloudWatch that tells of both.

`CloudWatch` answers like the real one as far as backtest and adopt ask: pages of at most 100, filters by type, item
and time, the order asked for, tags by ARN. It is fed from one JSON document, so a test may write it to a file.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.offline import offline_client

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=14)
ACCOUNT, REGION = "111122223333", "eu-west-1"
PREFIX = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"
SNS = f"arn:aws:sns:{REGION}:{ACCOUNT}:ops-mail"

SERVICES = {
    "checkout": 1, "orders": 1, "payments": 2, "search": 3, "catalog": 3, "mail": 4, "reports": 5, "basket": 2,
    "stock": 3, "staging-api": 1,
}  # fmt: skip
"""Name → tier; `staging-api` is no production."""
_METRICS = ("Errors", "Latency", "Throttles", "Cpu", "Memory")


def document(seed: int = 7) -> dict[str, Any]:
    """`{"alarms": [...], "tags": {arn: {...}}, "history": [...]}` in CloudWatch's own words."""
    chance = random.Random(seed)
    alarms = [*_of_services(), *_legacy(), *_target_tracking()]
    history = [item for alarm in alarms for item in _history(alarm["AlarmName"], chance)]
    history.sort(key=lambda item: item["Timestamp"])
    tags = {alarm["AlarmArn"]: _tags(alarm["AlarmName"]) for alarm in alarms}
    return {"alarms": alarms, "tags": {arn: t for arn, t in tags.items() if t}, "history": history}


def part_of(told: Mapping[str, Any], *prefixes: str) -> dict[str, Any]:
    """The same estate with only those alarms whose names begin so."""
    alarms = [alarm for alarm in told["alarms"] if alarm["AlarmName"].startswith(prefixes)]
    return {**told, "alarms": alarms, "history": [i for i in told["history"] if i["AlarmName"].startswith(prefixes)]}


def _of_services() -> Iterator[dict[str, Any]]:
    for service in SERVICES:
        for number in range(25):
            metric = _METRICS[number % len(_METRICS)]
            dimensions = _dimensions(service, number)
            yield _alarm(f"{service}-{metric}-{number:02d}", metric, dimensions, actions=[SNS])


def _dimensions(service: str, number: int) -> dict[str, str]:
    if service in ("orders", "payments"):
        return {"ClusterName": "shop", "ServiceName": service}
    return {"FunctionName": f"{service}-{('api', 'worker')[number % 2]}"}


def _legacy() -> Iterator[dict[str, Any]]:
    for number in range(30):
        yield _alarm(f"Box {number:02d} disk", "DiskUsed", {"InstanceId": f"i-{number:017x}"}, actions=[])


def _target_tracking() -> Iterator[dict[str, Any]]:
    for number in range(20):
        yield _alarm(f"TargetTracking-service/shop/orders-AlarmHigh-{number:02d}", "Cpu", {}, actions=[])


def _alarm(name: str, metric: str, dimensions: Mapping[str, str], *, actions: Sequence[str]) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmArn": PREFIX + name,
        "AlarmActions": list(actions),
        "OKActions": [],
        "ActionsEnabled": True,
        "StateValue": "OK",
        "StateTransitionedTimestamp": START.isoformat(),
        "StateReason": "",
        "Namespace": "Shop",
        "MetricName": metric,
        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
        "Period": 60,
        "EvaluationPeriods": 1,
        "Statistic": "Sum",
    }


def _tags(name: str) -> dict[str, str]:
    if name.startswith("mail-"):
        return {"app": "mail"}
    if name.startswith("search-"):
        return {"service": "search", "severity": "warning"} if name.endswith("01") else {"service": "search"}
    return {}


def _history(name: str, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Up to ten stays in ALARM, at any hour, some soon after each other and some without data in between."""
    at = START + timedelta(hours=chance.uniform(1, 40))
    state = "OK"
    for _ in range(chance.randrange(11)):
        yield item_of(name, at, state, "ALARM")
        at += timedelta(seconds=chance.choice((90, 400, 1300, 5000)) + chance.random() * 50)
        if chance.random() < 0.1:
            yield item_of(name, at, "ALARM", "INSUFFICIENT_DATA")
            at += timedelta(seconds=200)
            yield item_of(name, at, "INSUFFICIENT_DATA", "OK")
        else:
            yield item_of(name, at, "ALARM", "OK")
        state = "OK"
        # within stable_for, while mitigated, within reopen_window, long after
        at += timedelta(seconds=chance.choice((100, 700, 1700, 40_000, 90_000)) + chance.random() * 50)
        if at > END - timedelta(hours=3):
            return


def item_of(name: str, at: datetime, old: str, new: str) -> dict[str, Any]:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    reason = "Threshold Crossed: 1 datapoint [12.0 (01/03/26 09:00:00)] was greater than the threshold (5.0)."
    data = {"version": "1.0", "queryDate": at.isoformat(), "period": 60, "recentDatapoints": [12.0], "threshold": 5.0}
    states = {"oldState": {"stateValue": old}, "newState": {"stateValue": new, "stateReason": reason}}
    states["newState"]["stateReasonData"] = data  # type: ignore[assignment]
    return {
        "AlarmName": name,
        "AlarmType": "MetricAlarm",
        "Timestamp": at.isoformat(),
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {old} to {new}",
        "HistoryData": json.dumps({"version": "1.0", **states}),
    }


class CloudWatch:
    """The client. `calls` are the operations asked for, pages counted."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._told = told
        self.calls: list[str] = []
        self.meta = offline_client("cloudwatch").meta

    def get_paginator(self, operation: str) -> "_Paginator":
        return _Paginator(self, operation)

    def list_tags_for_resource(self, *, ResourceARN: str) -> dict[str, Any]:  # noqa: N803 - boto3's word
        self.calls.append("list_tags_for_resource")
        if not any(alarm["AlarmArn"] == ResourceARN for alarm in self._told["alarms"]):
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "ListTagsForResource")
        return {"Tags": [{"Key": k, "Value": v} for k, v in self._told["tags"].get(ResourceARN, {}).items()]}

    def page(self, operation: str, asked: Mapping[str, Any], start: int, size: int) -> tuple[dict[str, Any], bool]:
        self.calls.append(operation)
        if operation == "describe_alarms":
            found = [_dated(a, "StateTransitionedTimestamp") for a in self._told["alarms"]]
            return {"MetricAlarms": found[start : start + size], "CompositeAlarms": []}, start + size < len(found)
        items = [_dated(item, "Timestamp") for item in self._told["history"]]
        fits = [
            item
            for item in items
            if item["AlarmType"] in asked["AlarmTypes"]
            and item["HistoryItemType"] == asked["HistoryItemType"]
            and asked["StartDate"] <= item["Timestamp"] <= asked["EndDate"]
        ]
        fits.sort(key=lambda item: item["Timestamp"], reverse=asked["ScanBy"] != "TimestampAscending")
        return {"AlarmHistoryItems": fits[start : start + size]}, start + size < len(fits)


class _Paginator:
    def __init__(self, client: CloudWatch, operation: str) -> None:
        self._client = client
        self._operation = operation

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        size = asked.get("PaginationConfig", {}).get("PageSize", 50)
        assert size <= 100
        start, more = 0, True
        while more:
            answer, more = self._client.page(self._operation, asked, start, size)
            yield answer
            start += size


def _dated(item: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {**item, name: datetime.fromisoformat(item[name])}
