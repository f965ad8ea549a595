"""The heartbeat: a signal of our own that goes the whole way every few minutes, so that a broken way is noticed.

From the queue through ingest, triage and communicate to the test topic. Each opens an incident that ends in the commit
that records its page; an ended one is in no list, and the table forgets it after a day.
"""

from datetime import datetime, timedelta
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.ports import Key
from incidentio.core.signal import Kind

DEDUP_KEY = "incidentio:heartbeat"
ARRIVED = Key("HEARTBEAT", "ARRIVED")
"""The last one that came through: `{at, seconds, every_seconds, incident_id, page_id}`."""
_KEPT = timedelta(days=1)


def beat(now: datetime) -> dict[str, Any]:
    """One heartbeat as a message of the ingest queue."""
    return {
        "version": "0",
        "detail-type": "Signal",
        "source": "incidentio.heartbeat",
        "time": iso(now),
        "detail": {
            "incidentio": "signal/v1",
            "dedup_key": DEDUP_KEY,
            "state": "firing",
            "title": "Heartbeat: nothing is wrong",
            "changed_at": iso(now),
            "severity": "SEV5",
            "kind": Kind.HEARTBEAT.value,
        },
    }


def is_beat(incident: Incident) -> bool:
    """Ours: an alarm that a team marks as a heartbeat is an incident like any other."""
    return incident.kind is Kind.HEARTBEAT and incident.dedup_key == DEDUP_KEY


def is_listed(incident: Incident) -> bool:
    """One that is stuck is worth seeing; hundreds that arrived are not."""
    return incident.is_open or not is_beat(incident)


def forgotten_at(incident: Incident) -> datetime | None:
    """When the table may forget all of it; None is never, which is true of everything else."""
    return incident.detected_at + _KEPT if is_beat(incident) else None
