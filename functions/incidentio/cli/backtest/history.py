"""CloudWatch's own account of the past, with the rights of whoever asks; only reads.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
CloudWatch keeps it for 30 days, and cuts `HistoryData` at 4095 characters.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from incidentio.aws.alarm_kinds import alarm_types, alarms_in
from incidentio.aws.alarm_tags import CloudWatchTags
from incidentio.aws.alarms import alarm_of
from incidentio.aws.errors import translated
from incidentio.cli.backtest.estate import Configured, Estate, StateChange
from incidentio.core.targets import partition_of

KEPT_DAYS = 30
RIGHTS = ("cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmHistory", "cloudwatch:ListTagsForResource")
_PAGE = 100
_SUMMARY = re.compile(r"Alarm updated from (?P<old>[A-Z_]+) to (?P<new>[A-Z_]+)")


class CloudWatchHistory:
    """Implements `estate.History`; tags are asked for once an alarm."""

    def __init__(self, client: Any, *, account: str, region: str) -> None:
        self._client = client
        self._arn = f"arn:{partition_of(region)}:cloudwatch:{region}:{account}:alarm:"
        self._tags: dict[str, dict[str, str]] = {}

    def read(self, start: datetime, end: datetime) -> Estate:
        """Everything between two moments.

        Raises:
            Forbidden: a right of RIGHTS is missing. Unavailable.
        """
        alarms = tuple(self._alarms())
        arns = {configured.alarm.name: configured.alarm.arn for configured in alarms}
        changes = [_change(item, arns, self._arn) for item in self._items(start, end)]
        # Two changes in one millisecond are in the order CloudWatch told them in.
        return Estate(start, end, alarms, tuple(sorted(filter(None, changes), key=lambda change: change.at)))

    def tags_of(self, alarm_arn: str) -> dict[str, str]:
        if alarm_arn not in self._tags:
            self._tags[alarm_arn] = CloudWatchTags(self._client).tags_of(alarm_arn)
        return self._tags[alarm_arn]

    def _alarms(self) -> Iterator[Configured]:
        with translated("reading the alarms"):
            for page in self._client.get_paginator("describe_alarms").paginate(AlarmTypes=alarm_types(self._client)):
                for item in alarms_in(page):
                    yield Configured(alarm_of(item), str(item.get("StateValue", "")), configuration(item))

    def _items(self, start: datetime, end: datetime) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("describe_alarm_history").paginate(
            AlarmTypes=alarm_types(self._client),
            HistoryItemType="StateUpdate",
            StartDate=start,
            EndDate=end,
            ScanBy="TimestampAscending",
            PaginationConfig={"PageSize": _PAGE},
        )
        with translated("reading the history of the alarms"):
            for page in pages:
                yield from page["AlarmHistoryItems"]


def _change(item: Mapping[str, Any], arns: Mapping[str, str], prefix: str) -> StateChange | None:
    """None where an item says no state at all. An alarm deleted since has the ARN it must have had."""
    name = item["AlarmName"]
    try:
        data = json.loads(item.get("HistoryData") or "{}")
    except ValueError:
        data = {}
    old, new = data.get("oldState") or {}, data.get("newState") or {}
    told = _SUMMARY.search(item.get("HistorySummary") or "")
    values = (old.get("stateValue") or (told and told["old"]), new.get("stateValue") or (told and told["new"]))
    if not values[1]:
        return None
    reason_data = new.get("stateReasonData")
    return StateChange(
        alarm=name,
        arn=arns.get(name, prefix + name),
        at=item["Timestamp"].astimezone(UTC),
        old=str(values[0] or ""),
        new=str(values[1]),
        reason=str(new.get("stateReason") or ""),
        reason_data=reason_data if isinstance(reason_data, str | None) else json.dumps(reason_data),
    )


def configuration(item: Mapping[str, Any]) -> dict[str, Any]:
    """`configuration` of the event that CloudWatch sends for this alarm.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    if "AlarmRule" in item:
        return {"description": item.get("AlarmDescription", ""), "alarmRule": item["AlarmRule"]}
    if "ScheduledQueryConfiguration" in item:  # a log alarm, which has no metric
        return {"description": item.get("AlarmDescription", ""), "metrics": []}
    queries = item.get("Metrics") or [{"Id": "m1", "MetricStat": _stat(item), "ReturnData": True}]
    metrics = []
    for query in queries:
        told = {"id": query.get("Id", ""), "returnData": query.get("ReturnData", True)}
        if stat := query.get("MetricStat"):
            metric = stat["Metric"]
            named = {"namespace": metric.get("Namespace", ""), "name": metric.get("MetricName", "")}
            named["dimensions"] = {d["Name"]: d["Value"] for d in metric.get("Dimensions", [])}
            told["metricStat"] = {"metric": named, "period": stat.get("Period"), "stat": stat.get("Stat")}
        else:
            told["expression"] = query.get("Expression", "")
        metrics.append(told)
    return {"description": item.get("AlarmDescription", ""), "metrics": metrics}


def _stat(item: Mapping[str, Any]) -> dict[str, Any]:
    metric = {name: item[name] for name in ("Namespace", "MetricName", "Dimensions") if name in item}
    return {"Metric": metric, "Period": item.get("Period"), "Stat": item.get("Statistic")}
