"""When people sleep."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True)
class Night:
    """From `start` until `end` the next morning, on the clocks of `zone`."""

    zone: tzinfo = UTC
    start: time = time(22)
    end: time = time(7)

    def of(self, at: datetime) -> date | None:
        """The evening of the night that `at` falls into; None by day."""
        local = at.astimezone(self.zone)
        if local.time() >= self.start:
            return local.date()
        return local.date() - timedelta(days=1) if local.time() < self.end else None
