"""Keep what became of an incident, for reports. Nothing waits for it, and the hot path knows nothing of it."""

from incidentio.core.ended import ended, ended_write
from incidentio.core.ports import Table
from incidentio.core.signal import Kind


def remember(incident_id: str, *, table: Table) -> None:
    """Write its record once it is over; told twice, the same record is written again.

    Raises:
        NotFound, Unavailable: the event should be tried again.
    """
    incident = table.incident(incident_id)
    if incident.kind is Kind.REAL and not incident.is_open:
        table.write(ended_write(ended(incident, table.timeline(incident_id))))
