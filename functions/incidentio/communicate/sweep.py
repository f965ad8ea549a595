"""The look every minute: incidents nobody triaged, calls that were lost, pages nobody acknowledged."""

from dataclasses import dataclass
from datetime import datetime

from incidentio.communicate.pages import pages_of
from incidentio.communicate.plan import next_repeat, repeat_seconds
from incidentio.communicate.tell import Busy, Outcome, Teller, signal_reason
from incidentio.core.amend import amend
from incidentio.core.deadlines import repeat_due, told_due, triage_due
from incidentio.core.duration import format_duration
from incidentio.core.errors import IncidentioError
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Key, Put, Record
from incidentio.core.redaction import redact
from incidentio.core.routing import Routing
from incidentio.core.severity import Severity, worst


@dataclass(frozen=True)
class Swept:
    """What one sweep did: incident id → what was done, and → what failed."""

    done: dict[str, list[Outcome]]
    failed: dict[str, str]


def sweep(teller: Teller) -> Swept:
    """Look at every incident whose time has come; one that fails does not stop the others."""
    now = teller.clock()
    done: dict[str, list[Outcome]] = {}
    failed: dict[str, str] = {}
    for incident_id in teller.table.due(now):
        try:
            if did := _look(incident_id, teller, now):
                done[incident_id] = did
        except (IncidentioError, Busy) as error:
            failed[incident_id] = str(error)
    teller.table.write(Put(Record(Key("BEAT", "communicate"), {"at": iso(now)})))
    return Swept(done, failed)


def _look(incident_id: str, teller: Teller, now: datetime) -> list[Outcome]:
    routing = teller.bundle.catalog.routing
    incident = teller.table.incident(incident_id)
    did = []
    if _passed(triage_due(incident, routing), now):
        reason = signal_reason(incident, teller.table)
        incident = amend(teller.table, incident_id, lambda current: overdue(current, reason, routing, now))
        did.append(teller.settle(incident_id))
    elif _passed(told_due(incident, routing), now):
        did.append(teller.settle(incident_id))
    if _passed(repeat_due(incident), now):
        did += _repeated(incident, teller, now)
    return did


def overdue(incident: Incident, reason: str, routing: Routing, at: datetime) -> Change | None:
    """Triage is broken or late: count it as at least SEV2 and go on. None when triage was faster."""
    if not _passed(triage_due(incident, routing), at) or not incident.is_open:
        return None
    waited = format_duration(routing.triage_timeout)
    severity = incident.severity if incident.severity_set else worst([incident.severity, Severity.SEV2])
    said = f" ({reason.rstrip('.')})" if reason else ""
    name = incident.subject.alarm_name
    what = f"Alarm {name} fired" if name else incident.title
    because = f"triage did not come within {waited}, so it counts as {severity.value} until somebody knows better"
    return recorded(
        incident,
        "TriageOverdue",
        actor=SYSTEM,
        at=at,
        text=because,
        data={"waited": waited, "severity": severity.value},
        lifecycle=True,
        triaged_at=at,
        triaged_as="overdue",
        severity=severity,
        why=redact(f"{what}{said}; {because}.", limit=600),
    )


def _repeated(incident: Incident, teller: Teller, now: datetime) -> list[Outcome]:
    routing = teller.bundle.catalog.routing
    page = next_repeat(incident, pages_of(incident.id, teller.table), routing, now)
    if page:
        return [Outcome("published", page.page_id)] if teller.deliver(incident, page) else []
    if not repeat_seconds(incident, routing):
        amend(teller.table, incident.id, lambda current: _repeats_no_more(current, routing, now))
        return [Outcome("nobody", "it does not repeat any more")]
    return []


def _repeats_no_more(incident: Incident, routing: Routing, at: datetime) -> Change | None:
    if not incident.repeat_seconds or repeat_seconds(incident, routing):
        return None
    return recorded(
        incident,
        "NotificationSkipped",
        actor=SYSTEM,
        at=at,
        text=f"nobody is told again: as {incident.severity.value} in {incident.environment} it does not repeat",
        data={"code": "no_repeat"},
        repeat_seconds=0,
    )


def _passed(due: datetime | None, now: datetime) -> bool:
    return due is not None and due <= now
