"""When people sleep."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incidentio.core.errors import InvalidInput


@dataclass(frozen=True)
class Night:
    """From `start` until `end` the next morning, on the clocks of `zone`."""

    zone: ZoneInfo
    start: time = time(22)
    end: time = time(7)

    def of(self, at: datetime) -> date | None:
        """The evening of the night that `at` falls into; None by day."""
        local = at.astimezone(self.zone)
        if local.time() >= self.start:
            return local.date()
        return local.date() - timedelta(days=1) if local.time() < self.end else None


def night_in(zone: str) -> Night:
    """Raises: InvalidInput: there is no such time zone."""
    try:
        return Night(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"unknown time zone {zone[:60]!r}: write it like UTC or Europe/Berlin") from None
