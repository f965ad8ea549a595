"""The clocks a person lives by."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from incidentio.core.errors import InvalidInput


def zone_named(name: str) -> ZoneInfo:
    """Raises: InvalidInput: there is no such time zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"unknown time zone {name[:60]!r}: write it like UTC or Europe/Berlin") from None
