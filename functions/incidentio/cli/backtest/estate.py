"""What CloudWatch knows of an account: its alarms, and every change of their state in a period."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from incidentio.core.alarm import Alarm


@dataclass(frozen=True)
class StateChange:
    """One alarm went from `old` to `new`. `reason_data` is JSON text, as in an event's `reasonData`."""

    alarm: str
    arn: str
    at: datetime
    old: str
    new: str
    reason: str = ""
    reason_data: str | None = None


@dataclass(frozen=True)
class Configured:
    """An alarm as configured today. `state`: what it is in now. `event`: its `configuration` in an event."""

    alarm: Alarm
    state: str
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Estate:
    """`changes` are in order of time, from `start` up to `end`."""

    start: datetime
    end: datetime
    alarms: tuple[Configured, ...]
    changes: tuple[StateChange, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Configured]:
        return {configured.alarm.name: configured for configured in self.alarms}

    def firing_at_start(self) -> Iterable[str]:
        """Names of alarms that were in ALARM before the first change we know of."""
        first: dict[str, str] = {}
        for change in self.changes:
            first.setdefault(change.alarm, change.old)
        for name, configured in self.by_name.items():
            fired_before = configured.state == "ALARM" and configured.alarm.changed_at <= self.start
            if first.get(name, "ALARM" if fired_before else "") == "ALARM":
                yield name


class History(Protocol):
    """Where an estate is read from."""

    def read(self, start: datetime, end: datetime) -> Estate:
        """Raises: Forbidden, Unavailable."""

    def tags_of(self, alarm_arn: str) -> dict[str, str]:
        """Raises: NotFound, Forbidden, Unavailable."""
