"""When the impact began, from what CloudWatch says about the datapoints that made an alarm fire."""

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_OLDEST = timedelta(days=7)  # an alarm never looks back further than this
_IN_TEXT = re.compile(r"\((\d\d)/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d)\)")
Comparison = Callable[[float, float], bool]
_COMPARISONS: tuple[tuple[str, Comparison], ...] = (
    ("greater than or equal to", operator.ge),
    ("greater than", operator.gt),
    ("less than or equal to", operator.le),
    ("less than", operator.lt),
)


def impact_start(*, reason: str, reason_data: Any, changed_at: datetime) -> datetime:
    """The first breaching datapoint, else the first triggering alarm of a composite, else the state change itself.

    `reason_data` is the event's `reasonData` (JSON text, or the object in it) where there is one; an alarm action
    has only `reason`, which names the datapoints with day/month/year dates. In an anomaly band each datapoint has a
    threshold of its own.
    """
    times = [at for at in _candidates(reason, reason_data) if changed_at - _OLDEST <= at <= changed_at]
    return min(times, default=changed_at)


def _candidates(reason: str, reason_data: Any) -> Iterable[datetime]:
    data = _parsed(reason_data)
    if evaluated := [p for p in _objects(data, "evaluatedDatapoints") if "timestamp" in p]:
        breaks = _comparison(reason)
        breaching = [
            p for p in evaluated if breaks and _breaching(p, p.get("threshold", data.get("threshold")), breaks)
        ]
        return _times(p["timestamp"] for p in breaching or evaluated)
    if triggering := _objects(data, "triggeringAlarms"):
        states = [alarm["state"] for alarm in triggering if isinstance(alarm.get("state"), dict)]
        return _times(state.get("timestamp") for state in states if state.get("value") == "ALARM")
    if "startDate" in data:
        return _times([data["startDate"]])
    return _written(reason)


def _parsed(reason_data: Any) -> Mapping[str, Any]:
    try:
        data = json.loads(reason_data) if isinstance(reason_data, str) else reason_data
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _objects(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = data.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _breaching(point: Mapping[str, Any], threshold: Any, breaks: Comparison) -> bool:
    value = point.get("value")
    return isinstance(value, int | float) and isinstance(threshold, int | float) and breaks(value, threshold)


def _comparison(reason: str) -> Comparison | None:
    return next((breaks for words, breaks in _COMPARISONS if words in reason), None)


def _times(texts: Iterable[Any]) -> Iterable[datetime]:
    for text in texts:
        try:
            at = datetime.fromisoformat(text)
            utc = at.astimezone(UTC) if at.tzinfo else None
        except (TypeError, ValueError, OverflowError):
            continue
        if utc:
            yield utc


def _written(reason: str) -> Iterable[datetime]:
    for day, month, year, hour, minute, second in _IN_TEXT.findall(reason[:4096]):
        try:
            yield datetime(2000 + int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        except ValueError:
            continue
