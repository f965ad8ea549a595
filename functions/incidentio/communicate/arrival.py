"""The heartbeat's end: it was told, so it has served, and how long it took is what it was sent for."""

from datetime import datetime

from incidentio.aws.observability import measure
from incidentio.communicate.pages import Page
from incidentio.core.heartbeat import ARRIVED, DEDUP_KEY
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident
from incidentio.core.lifecycle import cancel
from incidentio.core.members import pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record, Update, Write
from incidentio.core.routing import Routing

METRIC = "HeartbeatSeconds"


def arrived(told: Change, page: Page, *, at: datetime, routing: Routing) -> tuple[Change, tuple[Write, ...]]:
    """With its end on top, in the same commit: the pointer closes, so that the next one opens its own incident."""
    incident = told.incident
    if not incident.is_open:
        return told, ()
    seconds = _travelled(incident, at)
    note = f"the heartbeat came through in {seconds:.1f} s"
    over = cancel(incident, actor=SYSTEM, at=at, reason="expected", note=note)
    record = {
        "at": iso(at),
        "seconds": seconds,
        "every_seconds": int(routing.heartbeat.total_seconds()),
        "incident_id": incident.id,
        "page_id": page.page_id,
    }
    return (
        Change(over.incident, told.entries + over.entries, told.expected_seq),
        (Update(pointer_key(DEDUP_KEY), {"open": False}), Put(Record(ARRIVED, record))),
    )


def measure_travel(incident: Incident, at: datetime) -> None:
    """Publish how long it took. No value at all is what the alarm on it takes for the worst."""
    measure(METRIC, _travelled(incident, at), unit="Seconds")


def _travelled(incident: Incident, at: datetime) -> float:
    """Seconds from the sweeper's clock to ours: a heartbeat's impact starts when it is sent."""
    return max(0.0, round((at - incident.impact_started_at).total_seconds(), 3))
