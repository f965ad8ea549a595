"""What a reader gets beside the summary: playbook runs, and the timeline page by page."""

from collections.abc import Mapping
from typing import Any

from incidentio.api.incident_views import Timeline, entry_view
from incidentio.core.errors import InvalidInput
from incidentio.core.ids import parse_incident_id
from incidentio.core.incident import Incident
from incidentio.core.ports import Records, Table
from incidentio.core.storm import DEDUP_KEY

_CHILDREN = 100


def runs_of(records: Records, incident: Incident) -> list[Mapping[str, Any]]:
    """The incident's playbook runs; none are read when none were ever requested."""
    if not incident.runs:
        return []
    return [body for _, body in records.query(f"INC#{incident.id}", "RUN#")]


def children_of(records: Records, incident: Incident) -> list[str]:
    """Incidents that are told through this one; none are read where it is no storm."""
    if incident.dedup_key != DEDUP_KEY:
        return []
    return [key.sk.removeprefix("CHILD#") for key, _ in records.query(f"INC#{incident.id}", "CHILD#", limit=_CHILDREN)]


def timeline_page(table: Table, incident_id: str, *, limit: int, cursor: str | None) -> Timeline:
    """Entries after the one the cursor names; the cursor is its number.

    Raises:
        NotFound: no such incident. InvalidInput: the cursor is not a number.
    """
    incident = table.incident(parse_incident_id(incident_id))
    after = _after(cursor)
    entries = table.timeline(incident.id, after=after, limit=limit)
    more = bool(entries) and entries[-1].seq < incident.timeline_seq
    return Timeline(items=[entry_view(entry) for entry in entries], next=str(entries[-1].seq) if more else None)


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9):
        raise InvalidInput("the cursor is not one this API gave out: pass `next` of the page before, unchanged")
    return int(cursor)
