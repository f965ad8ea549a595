"""Domain events as they stand on the bus: source `incidentio`, detail-type in the past tense."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from incidentio.core.signal import Kind
from incidentio.core.timeline import Entry

SOURCE = "incidentio"
SCHEMA_VERSION = "1.0"

TRIAGED = (
    "ImpactReturned", "IncidentPromoted", "IncidentReopened", "IncidentTriggered", "IncidentUpdated", "SignalJoined",
    "SignalWorsened",
)  # fmt: skip
"""What triage hears of: whatever fires, or is judged anew, may be worse than what was known."""
RELEASING = ("InhibitionEnded",)
"""What ingest hears of."""
NOTIFYING = (
    "ApprovalEscalated", "ApprovalRequested", "ForeignChangeFound", "ImpactReturned", "IncidentCancelled",
    "IncidentLinked", "IncidentMerged", "IncidentMitigated", "IncidentPromoted", "IncidentReopened",
    "IncidentResolved", "IncidentTriaged", "ManualStepRequested", "PlaybookHeld", "PlaybookRefused",
    "PlaybookRolledBack", "PlaybookSucceeded", "RollbackFailed", "SeverityChanged", "StormEnded", "TriageOverdue",
    "UndoLeftToPeople",
)  # fmt: skip
"""What communicate hears of."""


class DomainEvent(BaseModel):
    """The `detail` of one event. It is a hint: a consumer re-reads the incident and ignores older versions.

    `id` is the same each time the same timeline entry is published, so consumers can tell repeats.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    type: str
    schema_version: str = SCHEMA_VERSION
    occurred_at: datetime
    incident_id: str
    incident_version: int
    correlation_id: str
    kind: Kind
    data: dict[str, Any]


def event_of(entry: Entry) -> DomainEvent:
    """A timeline entry is the outbox record of one event."""
    return DomainEvent(
        id=f"{entry.incident_id}-{entry.seq}",
        type=entry.type,
        occurred_at=entry.at,
        incident_id=entry.incident_id,
        incident_version=entry.incident_version,
        correlation_id=entry.correlation_id,
        kind=entry.kind,
        data={"text": entry.text, "actor": entry.actor.model_dump(), **entry.data},
    )
