"""An acknowledgement that came through a signal's door: once, and only of the firing it was meant for."""

from datetime import datetime, timedelta
from enum import StrEnum

from incidentio.core.amend import amend
from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.incident import Change, Incident, Status
from incidentio.core.lifecycle import acknowledge
from incidentio.core.members import pointer_key
from incidentio.core.person import Actor
from incidentio.core.ports import Clock, Table
from incidentio.ingest.decide import Pointer
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
    pointer = Pointer.of(table.get(pointer_key(given.dedup_key)))
    if pointer is None or pointer.incident_id is None or pointer.is_silent:
        return _late(Acknowledged.NOTHING, given, clock), None
    incident_id = pointer.incident_id
    if given.at <= pointer.began_after:
        return Acknowledged.STALE, incident_id
    if given.at < pointer.began_at:
        return _late(Acknowledged.STALE, given, clock), incident_id

    def decide(incident: Incident) -> Change | None:
        if incident.status is not Status.TRIGGERED:
            return None
        return acknowledge(incident, actor=Actor(id=f"integration/{given.integration}", kind="source"), at=clock())

    try:
        incident = amend(table, incident_id, decide)
    except NotFound:
        return _late(Acknowledged.NOTHING, given, clock), None
    return (Acknowledged.DONE if incident.is_open else _late(Acknowledged.NOTHING, given, clock)), incident_id


def _late(outcome: Acknowledged, given: Acknowledgement, clock: Clock) -> Acknowledged:
    """Its outcome, once its signal cannot be on the way any more."""
    if clock() - datetime.fromisoformat(given.at) < _OVERTAKES:
        raise Unavailable("an acknowledgement came before its signal")
    return outcome
