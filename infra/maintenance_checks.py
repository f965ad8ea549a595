"""What only the calendar can tell of the maintenance windows in `routing.yaml`: their years, rules and time zones."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from incidentio.core import recurrence, years
from infra.located_yaml import Location


def maintenance_mistakes(data: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """(where, what) for each window that begins or ends in another age, or whose rule is wrong or never comes; its
    model tells the rest.
    """
    windows = data.get("maintenance")
    for number, window in enumerate(windows if isinstance(windows, list) else ()):
        if not isinstance(window, dict):
            continue
        moments = {name: _moment(window.get(name)) for name in ("starts_at", "ends_at")}
        wrong = {name: problem for name, at in moments.items() if at and (problem := _out_of_range(at))}
        yield from ((("maintenance", number, name), problem) for name, problem in wrong.items())
        rule = window.get("rrule")
        if isinstance(rule, str) and "starts_at" not in wrong:
            try:
                recurrence.check(rule, str(window.get("timezone", "UTC")), moments["starts_at"])
            except ValueError as error:
                yield ("maintenance", number, "rrule"), str(error)


def _out_of_range(at: datetime) -> str | None:
    try:
        years.in_range(at)
    except ValueError as error:
        return str(error)
    return None


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None
