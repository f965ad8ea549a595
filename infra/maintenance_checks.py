"""What only the calendar can tell of the maintenance windows in `routing.yaml`: their rules and time zones."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from incidentio.core import recurrence
from infra.located_yaml import Location


def maintenance_mistakes(data: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """(where, what) for each recurring window whose rule is wrong or never comes; its model tells the rest."""
    windows = data.get("maintenance")
    for number, window in enumerate(windows if isinstance(windows, list) else ()):
        rule = window.get("rrule") if isinstance(window, dict) else None
        if not isinstance(rule, str):
            continue
        try:
            recurrence.check(rule, str(window.get("timezone", "UTC")), _first(window.get("starts_at")))
        except ValueError as error:
            yield ("maintenance", number, "rrule"), str(error)


def _first(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
