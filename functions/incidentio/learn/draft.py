"""Draft the postmortem of a resolved incident: when it is resolved, and again once a loan has ended after that."""

import json
from collections.abc import Sequence
from datetime import datetime

from incidentio.core.amend import Decision, amend
from incidentio.core.archive import Archive, anchor_due, postmortem_prefix
from incidentio.core.catalog import Catalog
from incidentio.core.incident import Incident, Status, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Clock, Table
from incidentio.core.signal import Kind
from incidentio.core.situation import situation_of
from incidentio.core.timeline import Entry
from incidentio.learn.markdown import render
from incidentio.learn.postmortem import facts_of

_OVER = frozenset({Status.RESOLVED, Status.CLOSED})
_SETTLED = frozenset({"PostmortemReviewed", "PostmortemWaived"})
_LOAN_ENDED = frozenset({"LeaseRestored", "ForeignChangeFound"})
"""What resolution sets going: the draft of that second would say that the change is still in place."""


def draft(incident_id: str, *, table: Table, archive: Archive, catalog: Catalog, clock: Clock) -> Incident | None:
    """Write `draft.md` and `draft.json` and link them from the incident; None when there is nothing to do.

    Safe to repeat: an event told twice finds the draft made. An incident resolved again after it
    was reopened, or whose borrowed change was given back, gets a new version under the same keys.
    Heartbeats get none.

    Raises:
        NotFound, Unavailable: the event should be tried again.
    """
    incident = table.incident(incident_id)
    entries = table.timeline(incident_id)
    if not wanted(incident, entries):
        return None
    at = clock()
    runs = [body for _, body in table.query(f"INC#{incident_id}", "RUN#")] if incident.runs else []
    facts = facts_of(incident, entries, runs, situation_of(table, incident_id), catalog=catalog, at=at)
    prefix = postmortem_prefix(incident)
    document = json.dumps(facts.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    json_version = archive.put(f"{prefix}/draft.json", document.encode(), content_type="application/json")
    markdown_version = archive.put(
        f"{prefix}/draft.md", render(facts).encode(), content_type="text/markdown; charset=utf-8"
    )
    data = {
        "markdown": f"{prefix}/draft.md",
        "json": f"{prefix}/draft.json",
        "markdown_version_id": markdown_version,
        "json_version_id": json_version,
    }
    return amend(table, incident_id, lambda current: _linked(table, current, data, at))


def wanted(incident: Incident, entries: Sequence[Entry]) -> bool:
    """Whether it is over, nobody has settled its postmortem, and the last draft does not know how it ended."""
    if incident.kind is Kind.HEARTBEAT or incident.status not in _OVER:
        return False
    since_draft: set[str] = set()
    for entry in reversed(entries):
        if entry.type in _SETTLED:
            return False
        if entry.type == "PostmortemDrafted":
            return bool(since_draft & _LOAN_ENDED)
        if entry.type == "IncidentResolved":
            return True
        since_draft.add(entry.type)
    return False


def _linked(table: Table, incident: Incident, data: dict[str, str | None], at: datetime) -> Decision:
    entries = table.timeline(incident.id)
    if not wanted(incident, entries):
        return None
    anew = any(entry.type == "PostmortemDrafted" for entry in entries)
    change = recorded(
        incident,
        "PostmortemDrafted",
        actor=SYSTEM,
        at=at,
        text=f"postmortem drafted{' anew' if anew else ''}: complete it, then have it reviewed",
        data=data,
        postmortem="draft",
        postmortem_key=data["markdown"],
    )
    return change, [anchor_due(incident.id, at)]
