"""Durations as operators write them: `30s`, `5m`, `1h30m`, `4h`, `2d`."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def parse_duration(text: Any) -> timedelta:
    """Prometheus-style duration text to a timedelta.

    Raises:
        ValueError: not such a text (pydantic turns it into a located error).
    """
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration: write it like 30s, 5m, 1h30m or 2d")
    try:
        return timedelta(
            seconds=sum(int(n) * unit for n, unit in zip(match.groups(default="0"), _UNITS.values(), strict=True))
        )
    except OverflowError:
        raise ValueError(f"{text[:40]!r} is longer than anything") from None


def format_duration(value: timedelta) -> str:
    """The shortest text `parse_duration` reads back: `90 s` is `1m30s`, zero is `0s`."""
    rest, parts = int(value.total_seconds()), ""
    for unit, seconds in _UNITS.items():
        count, rest = divmod(rest, seconds)
        parts += f"{count}{unit}" if count else ""
    return parts or "0s"


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
]
