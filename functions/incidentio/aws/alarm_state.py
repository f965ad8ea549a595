"""The state of a CloudWatch alarm."""

from collections.abc import Callable
from typing import Any

from incidentio.aws.errors import translated


class CloudWatchAlarms:
    """Reads with `cloudwatch:DescribeAlarms`, metric and composite alarms alike."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def state(self, name: str) -> str | None:
        """`OK`, `ALARM` or `INSUFFICIENT_DATA`; None when there is no alarm of that name.

        Raises:
            Forbidden, Unavailable: it cannot be read.
        """
        with translated(f"reading the alarm {name}"):
            answer = self._client().describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        return str(found[0]["StateValue"]) if found else None
