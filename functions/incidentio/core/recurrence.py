"""When a recurring window is open: RFC 5545 recurrence rules on the wall clock of a time zone.

Source: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10, and 3.3.5 for local times that a change of clocks leaves
out (they count with the offset before the change) or repeats (the first one counts). The duration is elapsed time, so a
window of two hours is two hours long on every night of the year.

dateutil and the time zones are imported where a rule is evaluated: most deployments have none.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, cast

from incidentio.core import years

if TYPE_CHECKING:
    from dateutil.rrule import rrule

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
LONGEST = timedelta(days=14)
MOST = 1000
"""INTERVAL and COUNT go up to it."""
MOST_A_DAY = 24
"""More windows on one day would take long to go through, at every telling."""
_PERIOD_DAYS = {"DAILY": 1, "WEEKLY": 7}
_PERIOD_MONTHS = {"MONTHLY": 1, "YEARLY": 12}
_DAYS = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYDAY"})
_TIMES = {"BYHOUR": range(24), "BYMINUTE": range(60), "BYSECOND": range(60)}
_COUNTED = {"BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
"""From the end where negative."""
_NUMBERS = {
    **_TIMES,
    "INTERVAL": range(1, MOST + 1),
    "COUNT": range(1, MOST + 1),
    "BYMONTH": range(1, 13),
    **{name: (*range(-most, 0), *range(1, most + 1)) for name, most in _COUNTED.items()},
}
_ONE = frozenset({"FREQ", "INTERVAL", "COUNT", "WKST"})
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_DAY = re.compile(r"(?:[+-]?[1-9][0-9]?)?(?:MO|TU|WE|TH|FR|SA|SU)")
_AGES = 19 * timedelta(days=146_097)
"""Days fall alike every 400 years, and dateutil looks for a start until the year 9999: that much nearer to it, it has
soon done with a rule that does not come again.
"""
_FIRST = _AGES + datetime(2000, 1, 3)  # noqa: DTZ001 - wall clock; a Monday, midnight: what a rule that says no more begins with
_CHANGE_OF_CLOCKS = timedelta(hours=3)
"""More than any zone ever moved its clocks at once."""
_FAILURES = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError, OSError)
"""All that dateutil and zoneinfo raise of a rule, a date or a zone they cannot take."""


class Unusable(ValueError):
    """A rule that `check` refuses: it was kept before that, or its time zone is gone."""


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
    """Everything that can be wrong with a rule or a time zone. A rule that never comes takes a while to be told.

    Raises:
        ValueError: says what.
    """
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    parts = _accepted(rule)
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"there is no time zone {zone[:60]!r}: write it like Europe/Berlin or UTC") from None
    if begins is None and ("COUNT" in parts or _interval(parts) != 1):
        raise ValueError("COUNT and INTERVAL count from somewhere: give starts_at, the first window")
    if begins is not None:
        _in_range(begins)
    try:
        first = next(iter(_series(rule, _first(begins, zone))), None)
        _near(rule, _first(begins, zone), _wall(years.END, zone)).after(_wall(years.END, zone))
    except _FAILURES as error:
        raise ValueError(f"{rule[:80]!r} is not a recurrence rule: {error}") from None
    if first is None or _utc(first, zone).year > years.LAST:
        raise ValueError(f"{rule[:80]!r} never comes: no day fits all of it")


def open_at(
    rule: str, zone: str, duration: timedelta, at: datetime, *, begins: datetime | None, ends: datetime | None
) -> tuple[datetime, datetime] | None:
    """Start and end (UTC) of the window that is open at `at`, the one that ends last; None where none is.

    Args:
        begins: the first occurrence; it also anchors INTERVAL and COUNT. 2000-01-03 00:00 where None.
        ends: no window begins at or after it.

    Raises:
        Unusable: the rule is none that `check` takes.
    """
    try:
        starts = list(_starts(rule, zone, at - duration, at, begins))
    except _FAILURES as error:
        raise Unusable(str(error)) from error
    windows = [
        (start, start + duration)
        for start in starts
        if start <= at < start + duration and (ends is None or start < ends)
    ]
    return max(windows, key=lambda window: window[1], default=None)


def next_start(
    rule: str, zone: str, at: datetime, *, begins: datetime | None, ends: datetime | None
) -> datetime | None:
    """The first start (UTC) after `at`; None where there is none.

    Raises:
        Unusable: the rule is none that `check` takes.
    """
    try:
        start = _next(rule, zone, at, begins)
    except _FAILURES as error:
        raise Unusable(str(error)) from error
    return start if start and (ends is None or start < ends) else None


def _accepted(rule: str) -> dict[str, str]:
    """`parts_of` what can be evaluated, and in little time. A rule that was kept is not known to have passed this.

    Raises:
        ValueError: says what is wrong.
    """
    parts = parts_of(rule)
    for name, written in parts.items():
        values = [written] if name in _ONE else written.split(",")
        if name in _NUMBERS:
            taken = all(_NUMBER.fullmatch(value) and int(value) in _NUMBERS[name] for value in values)
        else:
            taken = name == "FREQ" or (name in ("BYDAY", "WKST") and all(map(_DAY.fullmatch, values)))
        if not taken:
            between = f": it is {min(_NUMBERS[name])} to {max(_NUMBERS[name])}" if name in _NUMBERS else ""
            raise ValueError(f"{rule[:80]!r} is not a recurrence rule: no {name[:40]} is {written[:40]}{between}")
    if prod(len(parts.get(name, "0").split(",")) for name in _TIMES) > MOST_A_DAY:
        raise ValueError(f"{rule[:80]!r} begins too often: at most {MOST_A_DAY} windows a day")
    return parts


def _interval(parts: Mapping[str, str]) -> int:
    return int(parts.get("INTERVAL", "1"))


def _in_range(begins: datetime) -> None:
    try:
        years.in_range(begins)
    except ValueError as error:
        raise ValueError(f"starts_at {error}") from None


def _next(rule: str, zone: str, at: datetime, begins: datetime | None) -> datetime | None:
    found = _wall(at, zone) - _CHANGE_OF_CLOCKS
    series = _near(rule, _first(begins, zone), found)
    while (following := series.after(found)) is not None:
        if (start := _utc(following, zone)) > at:
            return start if start < years.END else None
        found = following
    return None


def _starts(rule: str, zone: str, after: datetime, before: datetime, begins: datetime | None) -> Iterator[datetime]:
    low, high = _wall(after, zone) - _CHANGE_OF_CLOCKS, _wall(before, zone) + _CHANGE_OF_CLOCKS
    for wall in _near(rule, _first(begins, zone), low).between(low, high, inc=True):
        yield _utc(wall, zone)


@lru_cache(maxsize=64)
def _series(rule: str, first: datetime) -> "rrule":
    from dateutil.rrule import rrulestr  # noqa: PLC0415 - see above

    return cast("rrule", rrulestr(rule.upper().strip().removeprefix("RRULE:"), dtstart=first))


def _near(rule: str, first: datetime, wanted: datetime) -> "rrule":
    """The same series from shortly before `wanted` on: walking there from the first takes longer every year."""
    parts = _accepted(rule)
    if "COUNT" in parts:
        return _series(rule, first)
    interval, often = _interval(parts), parts["FREQ"]
    if often in _PERIOD_DAYS:
        period = timedelta(days=_PERIOD_DAYS[often] * interval)
        return _series(rule, first + max(0, (wanted - first) // period - 1) * period)
    months = _PERIOD_MONTHS[often] * interval
    left_out = ((wanted.year - first.year) * 12 + wanted.month - first.month) // months - 1
    if left_out < 1:
        return _series(rule, first)
    # No later month need have the first one's day: it goes into the rule, and the series begins with its period.
    if not parts.keys() & _DAYS:
        rule += f";BYMONTHDAY={first.day}"
        rule += f";BYMONTH={first.month}" if often == "YEARLY" and "BYMONTH" not in parts else ""
    month = first.year * 12 + (first.month - 1 if often == "MONTHLY" else 0) + left_out * months
    return _series(rule, first.replace(year=month // 12, month=month % 12 + 1, day=1))


def _first(begins: datetime | None, zone: str) -> datetime:
    return _wall(begins, zone) if begins else _FIRST


def _wall(at: datetime, zone: str) -> datetime:
    """The wall clock of `zone`, `_AGES` ahead."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) + _AGES


def _utc(wall: datetime, zone: str) -> datetime:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - see above

    return (wall - _AGES).replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
