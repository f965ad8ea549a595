"""When a recurring window is open: RFC 5545 recurrence rules on the wall clock of a time zone.

Source: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10, and 3.3.5 for local times that a change of clocks leaves
out (they count with the offset before the change) or repeats (the first one counts). The duration is elapsed time, so a
window of two hours is two hours long on every night of the year.

dateutil and the time zones are imported where a rule is evaluated: most deployments have none.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from dateutil.rrule import rrule

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
LONGEST = timedelta(days=14)
_PERIOD_DAYS = {"DAILY": 1, "WEEKLY": 7}
_FIRST = datetime(2000, 1, 3)  # noqa: DTZ001 - wall clock; a Monday, midnight: what a rule that says no more begins with
_CHANGE_OF_CLOCKS = timedelta(hours=3)
"""More than any zone ever moved its clocks at once."""


def parts_of(rule: str) -> dict[str, str]:
    """`FREQ=WEEKLY;BYDAY=SU` as a mapping.

    Raises:
        ValueError: it is not such a text, or one this system does not take.
    """
    pairs = [part.partition("=") for part in rule.upper().strip().removeprefix("RRULE:").split(";") if part]
    parts = {name: value for name, sign, value in pairs if sign and value}
    if not pairs or len(parts) != len(pairs):
        raise ValueError(
            f"{rule[:80]!r} is not a recurrence rule: write it like FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=0"
        )
    if parts.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"FREQ is {parts.get('FREQ', 'missing')}: use one of {', '.join(FREQUENCIES)}")
    if "UNTIL" in parts:
        raise ValueError("UNTIL is not taken: give ends_at, after which no window begins")
    return parts


def check(rule: str, zone: str, begins: datetime | None) -> None:
    """Everything that can be wrong with a rule or a time zone. A rule that never comes takes seconds to be told.

    Raises:
        ValueError: says what.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    parts = parts_of(rule)
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"there is no time zone {zone[:60]!r}: write it like Europe/Berlin or UTC") from None
    if begins is None and ("COUNT" in parts or parts.get("INTERVAL", "1") != "1"):
        raise ValueError("COUNT and INTERVAL count from somewhere: give starts_at, the first window")
    if parts.get("INTERVAL") == "0":
        raise ValueError("INTERVAL is at least 1")
    try:
        comes = next(iter(_series(rule, _wall(begins, zone) if begins else _FIRST)), None)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{rule[:80]!r} is not a recurrence rule: {error}") from None
    if comes is None:
        raise ValueError(f"{rule[:80]!r} never comes: no day fits all of it")


def open_at(
    rule: str, zone: str, duration: timedelta, at: datetime, *, begins: datetime | None, ends: datetime | None
) -> tuple[datetime, datetime] | None:
    """Start and end (UTC) of the window that is open at `at`, the one that ends last; None where none is.

    Args:
        begins: the first occurrence; it also anchors INTERVAL and COUNT. 2000-01-03 00:00 where None.
        ends: no window begins at or after it.
    """
    windows = [
        (start, start + duration)
        for start in _starts(rule, zone, at - duration, at, begins)
        if start <= at < start + duration and (ends is None or start < ends)
    ]
    return max(windows, key=lambda window: window[1], default=None)


def next_start(
    rule: str, zone: str, at: datetime, *, begins: datetime | None, ends: datetime | None
) -> datetime | None:
    """The first start (UTC) after `at`; None where there is none."""
    wall, first = _wall(at, zone), _wall(begins, zone) if begins else _FIRST
    series = _series(rule, _later(rule, first, wall - _CHANGE_OF_CLOCKS))
    found = wall - _CHANGE_OF_CLOCKS
    while (following := series.after(found)) is not None:
        start = _utc(following, zone)
        if start > at:
            return start if ends is None or start < ends else None
        found = following
    return None


def _starts(rule: str, zone: str, after: datetime, before: datetime, begins: datetime | None) -> Iterator[datetime]:
    low, high = _wall(after, zone) - _CHANGE_OF_CLOCKS, _wall(before, zone) + _CHANGE_OF_CLOCKS
    first = _wall(begins, zone) if begins else _FIRST
    for wall in _series(rule, _later(rule, first, low)).between(low, high, inc=True):
        yield _utc(wall, zone)


@lru_cache(maxsize=64)
def _series(rule: str, first: datetime) -> "rrule":
    from dateutil.rrule import rrulestr  # noqa: PLC0415 - see above

    return cast("rrule", rrulestr(rule.upper().strip().removeprefix("RRULE:"), dtstart=first))


def _later(rule: str, first: datetime, wanted: datetime) -> datetime:
    """A start of the same series shortly before `wanted`: walking there from the first takes longer every year."""
    parts = parts_of(rule)
    days = _PERIOD_DAYS.get(parts["FREQ"])
    if days is None or "COUNT" in parts:
        return first
    period = timedelta(days=days * int(parts.get("INTERVAL", "1")))
    return first + max(0, (wanted - first) // period - 1) * period


def _wall(at: datetime, zone: str) -> datetime:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _utc(wall: datetime, zone: str) -> datetime:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
