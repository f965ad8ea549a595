"""An acknowledgement that came through a signal's door: once, and only of the firing it was meant for."""

from datetime import datetime, timedelta
from enum import StrEnum

from incidentio.core.amend import amend
from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.incident import Change, Incident, Status
from incidentio.core.lifecycle import acknowledge
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import Actor
from incidentio.core.ports import Clock, Table
from incidentio.ingest.observation import Acknowledgement

_OVERTAKES = timedelta(minutes=2)
"""How long an acknowledgement may wait for the signal it is about: a queue keeps no order."""


class Acknowledged(StrEnum):
    """What became of one."""

    DONE = "acknowledged"
    STALE = "ack_stale"  # its signal fired anew since then
    NOTHING = "ack_without_incident"


def acknowledged(table: Table, given: Acknowledgement, clock: Clock) -> tuple[Acknowledged, str | None]:
    """What became of it, and the incident. Doing it again changes nothing.

    Raises:
        Unavailable: its signal may still be on the way; or see `amend`.
    """
    incident_id = (table.get(pointer_key(given.dedup_key)) or {}).get("incident_id")
    if incident_id is None:
        return _nothing(given, clock), None
    member = table.get(member_key(incident_id, given.dedup_key)) or {}
    if str(member.get("changed_at", "")) > given.at:
        return Acknowledged.STALE, incident_id

    def decide(incident: Incident) -> Change | None:
        if incident.status is not Status.TRIGGERED:
            return None
        return acknowledge(incident, actor=Actor(id=f"integration/{given.integration}", kind="source"), at=clock())

    try:
        incident = amend(table, incident_id, decide)
    except NotFound:
        return _nothing(given, clock), None
    return (Acknowledged.DONE if incident.is_open else _nothing(given, clock)), incident_id


def _nothing(given: Acknowledgement, clock: Clock) -> Acknowledged:
    if clock() - datetime.fromisoformat(given.at) < _OVERTAKES:
        raise Unavailable("an acknowledgement came before its signal")
    return Acknowledged.NOTHING
