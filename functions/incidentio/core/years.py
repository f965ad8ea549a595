"""The years that a moment somebody writes may be in: further off it is a slip, and calendars and time zones end."""

from datetime import UTC, datetime

FIRST, LAST = 2000, 2200
BEGIN, END = datetime(FIRST, 1, 1, tzinfo=UTC), datetime(LAST + 1, 1, 1, tzinfo=UTC)


def in_range(at: datetime) -> datetime:
    """`at` itself.

    Raises:
        ValueError: it is in none of these years, in UTC.
    """
    if not BEGIN <= at < END:
        raise ValueError(f"is out of range: the years are {FIRST} to {LAST}")
    return at
