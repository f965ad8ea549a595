"""A child of a storm is told through its parent: one call for all of them, and a worse child raises the parent."""

from datetime import datetime

from incidentio.communicate.plan import Nobody, Plan, Publish
from incidentio.core.amend import amend
from incidentio.core.errors import NotFound
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.lifecycle import change_severity
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Table
from incidentio.core.storm import RATE, Storm, by_storm, parent_of


def through_parent(child: Incident, decision: Plan, table: Table, storm: Storm | None, now: datetime) -> Plan:
    """`decision`, unless it is a call that the parent makes instead.

    It makes none once it is over; nor of impact that came back, or is worse, after the storm; nor where a person gave
    it a severity less than the child's. In the first two cases the child leaves the storm.
    """
    if child.parent is None or not isinstance(decision, Publish) or not all(page.call for page in decision.pages):
        return decision
    parent = _standing_in(child.parent, table)
    goes_on = parent is not None and parent_of(table.get(RATE)) in (parent.id, child.parent)
    is_news = child.episode > 1 or any(page.event == "SeverityChanged" for page in decision.pages)
    if parent is None or not parent.is_open or (is_news and not goes_on):
        amend(table, child.id, lambda current: _on_its_own(current, now))
        return decision
    if child.severity.is_worse_than(parent.severity):
        if parent.severity_set:
            return decision
        amend(table, parent.id, lambda current: _raised(current, child, now))
    said = f"it is part of the storm {parent.id}, which is told instead{storm.whose if storm else ''}"
    return Nobody("storm", said, settles=True, by=by_storm(storm))


def _standing_in(incident_id: str, table: Table) -> Incident | None:
    """The parent, or what it was merged into."""
    try:
        parent = table.incident(incident_id)
        return table.incident(parent.merged_into) if parent.merged_into else parent
    except NotFound:
        return None


def _raised(parent: Incident, child: Incident, at: datetime) -> Change | None:
    if not parent.is_open or not child.severity.is_worse_than(parent.severity):
        return None
    why = f"{child.id}{f' of {child.service}' if child.service else ''} is part of it"
    return change_severity(parent, child.severity, actor=SYSTEM, at=at, why=why)


def _on_its_own(child: Incident, at: datetime) -> Change | None:
    if child.parent is None:
        return None
    text = f"the storm {child.parent} is over: people are told of this by itself again"
    return recorded(child, "NoteAdded", actor=SYSTEM, at=at, text=text, data={"left": child.parent}, parent=None)
