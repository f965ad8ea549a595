"""The ticket about a rehearsal that failed: one for a playbook and service, as long as it is open."""

from contextlib import suppress
from datetime import datetime

from incidentio.core.amend import amend
from incidentio.core.archive import anchor_due
from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.ids import new_incident_id
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.lifecycle import resolve
from incidentio.core.person import SYSTEM, Actor
from incidentio.core.ports import ABSENT, Condition, Key, Put, Record, Refused, Stale, Table, Write
from incidentio.core.redaction import redact
from incidentio.core.severity import Severity

_TICKET = "REHEARSAL#TICKET"
"""Partition: `<playbook>#<service>` is the last one."""
_TRIES = 5


def ticket(table: Table, playbook: str, service: str, why: str, now: datetime) -> None:
    """One open ticket for a playbook and service: what fails again is an entry of it."""
    key = Key(_TICKET, f"{playbook}#{service}")
    text = redact(f"rehearsal of {playbook} for {service} failed: {why}", limit=500)
    for _ in range(_TRIES):
        body = table.get(key)
        if body and _noted(table, str(body["incident_id"]), text, now):
            return
        incident_id = new_incident_id()
        incident = Incident(
            id=incident_id,
            title=f"rehearsal of {playbook} for {service} failed",
            severity=Severity.SEV4,
            severity_set=True,
            service=service,
            given=("service",),
            receiver="ticket",
            mode_reason="a playbook would not work",
            source="rehearsal",
            correlation_id=incident_id,
            impact_started_at=now,
            detected_at=now,
        )
        record = Record(key, {"incident_id": incident_id})
        when: Condition = {"incident_id": body["incident_id"]} if body else ABSENT
        try:
            table.commit(opened(incident, SYSTEM, text), Put(record, when=when))
        except (Stale, Refused):
            continue
        return
    raise Unavailable("the ticket is being written by many at once: try again")


def works_again(table: Table, playbook: str, service: str, now: datetime) -> None:
    """A rehearsal found nothing wrong: the ticket of one that failed before is done, if it is still open."""
    body = table.get(Key(_TICKET, f"{playbook}#{service}"))
    if body is None:
        return

    def decide(incident: Incident) -> tuple[Change, list[Write]] | None:
        if not incident.is_open:
            return None
        note = f"a later rehearsal of {playbook} for {service} found nothing wrong"
        return resolve(incident, actor=SYSTEM, at=now, note=note), [anchor_due(incident.id, now)]

    with suppress(NotFound):
        amend(table, str(body["incident_id"]), decide)


def _noted(table: Table, incident_id: str, text: str, now: datetime) -> bool:
    """Whether the ticket is still open, and then says it."""
    told: list[bool] = []

    def decide(incident: Incident) -> Change | None:
        told[:] = [True] if incident.is_open else []
        return recorded(incident, "RehearsalFailed", actor=SYSTEM, at=now, text=text) if told else None

    try:
        amend(table, incident_id, decide)
    except NotFound:
        return False
    return bool(told)


def opened(incident: Incident, actor: Actor, text: str) -> Change:
    data = {"title": incident.title, "severity": incident.severity.value, "service": incident.service}
    return recorded(
        incident,
        "IncidentTriggered",
        actor=actor,
        at=incident.detected_at,
        text=text,
        data={**data, "severity_by": None},
        lifecycle=True,
    )
