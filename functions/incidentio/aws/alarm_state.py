"""The state of a CloudWatch alarm."""

from collections.abc import Callable
from typing import Any

from incidentio.aws.alarm_kinds import alarm_types, alarms_in
from incidentio.aws.errors import translated


class CloudWatchAlarms:
    """Reads with `cloudwatch:DescribeAlarms`, alarms of every kind alike."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def state(self, name: str) -> str | None:
        """`OK`, `ALARM` or `INSUFFICIENT_DATA`; None when there is no alarm of that name.

        Raises:
            Forbidden, Unavailable: it cannot be read.
        """
        client = self._client()
        with translated(f"reading the alarm {name}"):
            answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=alarm_types(client))
        found = next(alarms_in(answer), None)
        return str(found["StateValue"]) if found else None
