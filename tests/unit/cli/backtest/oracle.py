"""An independent count: what the documented rules make of a history, with a pencil and a clock, alarm by alarm.

It knows nothing of our code: only times in seconds, and what docs/connect-a-source.md and docs/architecture.md say.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.estate import SERVICES, START

STABLE, REOPEN, RESOLVES = 5 * 60, 15 * 60, 15 * 60


@dataclass
class Row:
    fired: int = 0
    incidents: int = 0
    calls: list[float] = field(default_factory=list)  # seconds since START
    service: str = "(unknown)"
    pages: bool = False  # what a call is: a page, or a ticket

    def at_night(self) -> int:
        return sum(not 7 <= (second / 3600) % 24 < 22 for second in self.calls) if self.pages else 0


def count(history: list[dict[str, Any]]) -> dict[str, Row]:
    """Alarm → what became of it, target tracking left out."""
    rows: dict[str, Row] = {}
    for name in sorted({item["AlarmName"] for item in history}):
        if not name.startswith("TargetTracking"):
            changes = [
                ((datetime.fromisoformat(i["Timestamp"]) - START).total_seconds(), i["HistorySummary"].split()[-1])
                for i in history
                if i["AlarmName"] == name
            ]
            rows[name] = _row(name, changes)
    return rows


def _row(name: str, changes: list[tuple[float, str]]) -> Row:
    service = next((s for s in SERVICES if name.startswith(f"{s}-")), None)
    row = Row(service=service or "(unknown)")
    severe = service is not None and SERVICES[service] <= 2
    row.pages = severe and service != "staging-api"
    told = service is not None  # the boxes are watched only
    ok_at: float | None = None  # while open: since when it is ok
    over_at: float | None = None  # when the last incident was resolved
    is_open = False
    for at, state in changes:
        if is_open and ok_at is not None:
            settled = _next_minute(ok_at + STABLE)
            resolved = settled + RESOLVES if severe else settled
            if at > resolved:
                is_open, over_at, ok_at = False, resolved, None
        if state == "OK" and is_open:
            ok_at = at if ok_at is None else ok_at
        if state != "ALARM":
            continue
        row.fired += 1
        if not is_open:
            soon = over_at is not None and at - over_at <= REOPEN
            row.incidents += not soon
            row.calls += [at] if told else []
            is_open = True
        elif severe and ok_at is not None and at > _next_minute(ok_at + STABLE):
            row.calls += [at]  # it was mitigated, and the impact is back
        ok_at = None
    return row


def _next_minute(second: float) -> float:
    return -(-second // 60) * 60
