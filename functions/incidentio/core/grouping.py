"""Grouping: which signals are one incident, as Alertmanager's `group_by` has it, within one service.

Source of the words: https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.ports import ABSENT, Condition, Key, Put, Record
from incidentio.core.routing import Route
from incidentio.core.signal import Mode, dedup_hash

WINDOW = timedelta(hours=1)
_WITHIN = ("service", "kind")
"""A group never reaches beyond these: related incidents of two services are linked, and nobody is paged for a drill."""


@dataclass(frozen=True)
class Grouping:
    """What a route says, with what it inherits. An empty `by` makes every signal its own incident.

    `window`: how long after it opened an open group takes new signals. `threshold`: live with so many members.
    `mode`: in monitor mode nothing is grouped, and it is said what would have been.
    """

    by: tuple[str, ...] = ()
    window: timedelta = WINDOW
    threshold: int = 1
    mode: Mode = Mode.LIVE

    @property
    def monitors(self) -> bool:
        return self.mode is Mode.MONITOR


@dataclass(frozen=True)
class Group:
    """One group a signal belongs to: its record's key, and how people read it."""

    key: Key
    text: str
    grouping: Grouping


def grouping_of(route: Route, labels: Mapping[str, str]) -> Grouping:
    """Along the route that matches; a child's word counts before its parent's."""
    found: dict[str, Any] = {}
    for each in route.path(labels):
        said = {"by": each.group_by, "window": each.group_window, "threshold": each.threshold, "mode": each.group_mode}
        found |= {name: value for name, value in said.items() if value is not None}
    return Grouping(**found)


def group_of(route: Route, labels: Mapping[str, str]) -> Group | None:
    """None where nothing is grouped, or where the signal has none of the labels, or no service to be grouped by."""
    grouping = grouping_of(route, labels)
    told = [(name, labels.get(name, "")) for name in grouping.by]
    if not any(value for _, value in told) or ("service" in grouping.by and not labels.get("service")):
        return None
    within = [(name, labels.get(name, "")) for name in _WITHIN if name not in grouping.by]
    text = ", ".join(f"{name}={value}" for name, value in told)
    return Group(group_key(sorted([*told, *within])), text, grouping)


def group_key(parts: object) -> Key:
    return Key(f"GROUP#{dedup_hash(repr(parts))}", "OPEN")


def taking(record: Mapping[str, Any] | None, *, now: datetime) -> str | None:
    """The incident that a group's record names, as long as it takes new signals."""
    if record is None or record["until"] <= iso(now):
        return None
    return str(record["incident_id"])


def group_write(key: Key, incident_id: str, *, until: datetime, stored: Mapping[str, Any] | None) -> Put:
    """The group is that incident from now on, unless somebody else was faster."""
    when: Condition = ABSENT if stored is None else {"incident_id": stored["incident_id"]}
    body = {"incident_id": incident_id, "until": iso(until)}
    return Put(Record(key, body, until + timedelta(days=1)), when=when)
