"""What goes with the end of an incident, and with its coming back, in the same transaction."""

from dataclasses import replace
from datetime import datetime, timedelta

from incidentio.api.calls import Call
from incidentio.core import lifecycle
from incidentio.core.amend import Decision
from incidentio.core.archive import anchor_due
from incidentio.core.incident import Change, Incident
from incidentio.core.members import closing, reopening
from incidentio.core.ports import Table


def ended(table: Table, change: Change, at: datetime) -> Decision:
    """The change, its signals' pointers closed, and its chain named by the next anchor."""
    return change, [*closing(table, change.incident), anchor_due(change.incident.id, at)]


def closed(change: Change, at: datetime) -> Decision:
    """The change, and its chain for the next anchor. Its pointers closed before, or are of a newer one."""
    return change, [anchor_due(change.incident.id, at)]


def reopened(table: Table, incident: Incident, call: Call, *, window: timedelta, note: str) -> Decision:
    """Back to `triggered`, with its signals' pointers open again, as far as no newer incident has them.

    Raises:
        IllegalTransition, Conflict: see `lifecycle.reopen`.
    """
    change = lifecycle.reopen(incident, actor=call.actor, at=call.at, window=window, note=note)
    writes, firing = reopening(table, incident)
    counted = replace(change, incident=change.incident.model_copy(update={"firing": firing}))
    return counted, writes
