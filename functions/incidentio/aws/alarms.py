"""CloudWatch alarms, as `cloudwatch:DescribeAlarms` tells them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from incidentio.aws.alarm_kinds import alarm_types, alarms_in
from incidentio.aws.errors import translated
from incidentio.core.alarm import Alarm


class CloudWatchAlarms:
    """All alarms of this account and Region."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def firing(self) -> Iterable[Alarm]:
        """Those in ALARM now, page by page.

        Raises: Forbidden, Unavailable.
        """
        arguments: dict[str, Any] = {"StateValue": "ALARM", "AlarmTypes": alarm_types(self._client)}
        while True:
            with translated("asking which alarms fire"):
                answer = self._client.describe_alarms(**arguments)
            for item in alarms_in(answer):
                yield alarm_of(item)
            if not answer.get("NextToken"):
                return
            arguments["NextToken"] = answer["NextToken"]

    def is_muted(self, name: str) -> bool:
        """Whether a mute rule for that alarm is active.

        Raises: Forbidden, Unavailable.
        """
        with translated("asking whether an alarm is muted"):
            answer = self._client.list_alarm_mute_rules(AlarmName=name, Statuses=["ACTIVE"], MaxRecords=1)
        return bool(answer["AlarmMuteRuleSummaries"])


def alarm_of(item: Mapping[str, Any]) -> Alarm:
    """One alarm of the answer, of whichever kind."""
    metric = item
    for query in item.get("Metrics", []):
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            break
    changed = item.get("StateTransitionedTimestamp") or item.get("StateUpdatedTimestamp") or datetime.now(UTC)
    return Alarm(
        name=item["AlarmName"],
        arn=item["AlarmArn"],
        changed_at=changed.astimezone(UTC),
        reason=item.get("StateReason", ""),
        reason_data=item.get("StateReasonData"),
        actions=tuple(item.get("AlarmActions", [])),
        actions_enabled=bool(item.get("ActionsEnabled", True)),
        suppressed_by=item.get("ActionsSuppressedBy"),
        namespace=metric.get("Namespace", ""),
        metric=metric.get("MetricName", ""),
        dimensions={d["Name"]: d["Value"] for d in metric.get("Dimensions", [])},
    )
