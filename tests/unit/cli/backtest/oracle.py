"""An independent count: what the documented rules make of a history, with a pencil and a clock, alarm by alarm.

It knows nothing of our code: only times in seconds, and what docs/connect-a-source.md and docs/architecture.md say of
recovery, reopening, flapping, storms and who is told.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.estate import SERVICES, START

MINUTE = 60
STABLE, REOPEN, RESOLVES = 5 * MINUTE, 15 * MINUTE, 15 * MINUTE
FLAPS, WITHIN, QUIET = 4, 30 * MINUTE, 30 * MINUTE
STORM, STORM_WITHIN = 50, 5 * MINUTE
NO_SERVICE = "no service"


@dataclass
class Incident:
    """Times are seconds since START. `calls` are when people were called; `of_storm`: through the storm's, instead."""

    began: float
    alarms: list[str]
    calls: list[float] = field(default_factory=list)
    of_storm: bool = False


@dataclass
class Row:
    """What became of one alarm. `severity` is a number, and `severe` what people resolve."""

    alarm: str
    service: str
    severity: int
    pages: bool  # what a call is: a page, or a ticket
    told: bool  # else it is only watched
    fired: int = 0
    incidents: list[Incident] = field(default_factory=list)
    joined: int = 0

    @property
    def severe(self) -> bool:
        return self.severity <= 2

    @property
    def calls(self) -> list[float]:
        return [call for incident in self.incidents for call in incident.calls]

    def at_night(self) -> int:
        return nights_of(self.calls).total() if self.pages else 0


def nights_of(calls: Sequence[float]) -> Counter[int]:
    """The evening's day of each that was between 22:00 and 07:00."""
    hours = [second / 3600 for second in calls]
    return Counter(int(hour // 24) - (hour % 24 < 7) for hour in hours if not 7 <= hour % 24 < 22)


def count(history: Sequence[Mapping[str, Any]], *, flapping: bool = True) -> dict[str, Row]:
    """Alarm → what became of it, target tracking left out; of those that fired or not."""
    changes: dict[str, list[tuple[float, str]]] = {}
    for item in history:
        second = (datetime.fromisoformat(item["Timestamp"]) - START).total_seconds()
        changes.setdefault(item["AlarmName"], []).append((second, item["HistorySummary"].split()[-1]))
    return {
        name: _Clock(_row(name), flapping=flapping).played(changes[name])
        for name in sorted(changes)
        if not name.startswith("TargetTracking")
    }


def _row(name: str) -> Row:
    service = next((s for s in SERVICES if name.startswith(f"{s}-")), None)
    if service is None:
        return Row(name, NO_SERVICE, 3, pages=False, told=False)
    severity = SERVICES[service]
    return Row(name, service, severity, pages=severity <= 2 and service != "staging-api", told=True)


class _Clock:
    """One alarm, from change to change, and what the sweep and people do in between."""

    def __init__(self, row: Row, *, flapping: bool) -> None:
        self.row, self.flapping = row, flapping
        self.status = "none"  # open, mitigated, resolved
        self.since = 0.0  # when it became that
        self.firing = False
        self.ok_at = 0.0
        self.flaps_from: float | None = None
        self.flaps_until = 0.0
        self.changes: list[float] = []

    def played(self, changes: Sequence[tuple[float, str]]) -> Row:
        for at, state in changes:
            self._wait(at)
            if state == "ALARM":
                self.row.fired += 1
                self._fires(at)
            elif state == "OK" and self.firing:
                self.firing, self.ok_at = False, at
                self._changed(at)
        return self.row

    def _wait(self, until: float) -> None:
        """The sweep comes every minute; it ends flapping first, and recovery may follow at once."""
        while self.status in ("open", "mitigated"):
            if self.status == "mitigated":
                due, then = self.since + RESOLVES, "resolved"
            elif self.flaps_from is not None:
                due, then = _sweep(self.flaps_until), "quiet"
            elif self.firing:
                return
            else:
                due, then = _sweep(self.ok_at + STABLE), "mitigated" if self.row.severe else "resolved"
            if due >= until:
                return
            if then == "quiet":
                self.flaps_from = None
                self.ok_at = max(self.ok_at, due - STABLE)  # it was ok for longer: it recovers at the same sweep
            else:
                self.status, self.since = then, due

    def _fires(self, at: float) -> None:
        is_new = self.status == "none" or (self.status == "resolved" and at - self.since > REOPEN)
        is_called = self.row.told and self.status != "open"
        if is_new:
            self.row.incidents.append(Incident(at, [self.row.alarm]))
        if is_called:
            self.row.incidents[-1].calls.append(at)
        self.status, self.firing = "open", True
        self._changed(at, is_new=is_new)
        recent = [c for c in self.row.incidents[-1].calls if c >= (self.flaps_from or at) - WITHIN]
        assert not (is_called and self.flaps_from is not None and len(recent) > 2), "a call too many: not counted here"

    def _changed(self, at: float, *, is_new: bool = False) -> None:
        """Four changes within half an hour, over reopenings as well, and it is quiet half an hour after the last."""
        self.changes = [*(t for t in self.changes if t > at - WITHIN), at][-FLAPS:]
        if self.flaps_from is None and len(self.changes) == FLAPS and self.flapping and not is_new:
            self.flaps_from = at
        if self.flaps_from is not None:
            self.flaps_until = at + QUIET


def gathered(rows: Mapping[str, Row]) -> Incident | None:
    """Put what opened in a storm into it, and return the storm's own incident; None where there was none.

    The rate is measured in windows of five minutes; the window before counts as far as it still reaches, which is left
    out here, as nothing opened then. One storm, in which nothing but new incidents comes, and which lasts to the end.
    """
    opened = sorted((i.began, row.alarm) for row in rows.values() if row.told for i in row.incidents)
    windows = Counter(int(began // STORM_WITHIN) for began, _ in opened)
    stormy = [window for window, opens in windows.items() if opens >= STORM]
    if not stormy:
        assert max(windows[n] + windows[n - 1] for n in windows) < STORM, "near a storm: not counted here"
        return None
    (window,) = stormy
    assert windows[window - 1] == 0
    of_it = [(began, alarm) for began, alarm in opened if began >= window * STORM_WITHIN]
    parent = Incident(of_it[STORM - 1][0], [], [of_it[STORM - 1][0]])
    children: dict[str, Incident] = {}
    for began, alarm in of_it[STORM - 1 :]:
        row, own = rows[alarm], rows[alarm].incidents[-1]
        assert own.began == began
        if row.service in children:
            row.incidents.remove(own)
            row.joined += 1
            children[row.service].alarms.append(alarm)
        else:
            children[row.service] = own
            own.of_storm, own.calls = True, []
    return parent


def _sweep(second: float) -> float:
    return -(-second // MINUTE) * MINUTE
