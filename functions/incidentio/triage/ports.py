"""What triage needs from the outside, besides the table."""

from typing import Protocol


class AlarmTags(Protocol):
    """Tags of an alarm, for events that came without them (`alarmTags` is opt-in on AWS)."""

    def tags_of(self, alarm_arn: str) -> dict[str, str]:
        """Raises: NotFound, Forbidden, Unavailable."""
