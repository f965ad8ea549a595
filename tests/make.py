"""Small builders for tests: valid by default, named by what differs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM, Actor
from incidentio.core.severity import Severity

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ALICE = Actor(id="111122223333:user/alice", kind="person")
BOB = Actor(id="111122223333:user/bob", kind="person")


def an_incident(**fields: Any) -> Incident:
    """An open SEV2 that has never been written (timeline_seq 0) unless told otherwise."""
    return Incident(
        **{
            "id": "INC-7K3F9A",
            "title": "checkout 5xx above 5%",
            "severity": Severity.SEV2,
            "detected_at": NOW,
            "impact_started_at": NOW - timedelta(minutes=2),
            "correlation_id": "corr-1",
            **fields,
        }
    )


def opened(**fields: Any) -> Change:
    """The first change of an incident: what a create commits."""
    incident = an_incident(**fields)
    return recorded(incident, "IncidentTriggered", actor=SYSTEM, at=incident.detected_at, text="opened")
