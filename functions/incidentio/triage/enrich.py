"""The use case: judge an incident and record the judgement, once however often it is asked."""

from dataclasses import replace
from datetime import datetime

from incidentio.core.amend import Decision, amend
from incidentio.core.bundle import Bundle
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.members import MAX_WRITES, members_of, promoting_writes
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Clock, Table, Write
from incidentio.core.signal import Kind
from incidentio.core.situation import situation_of, situation_write
from incidentio.triage.classify import Triage, classify
from incidentio.triage.entry import triaged
from incidentio.triage.evidence import Evidence
from incidentio.triage.gather import gather
from incidentio.triage.linking import linking
from incidentio.triage.ports import AlarmTags
from incidentio.triage.surroundings import Looking, Surroundings

_OVER = frozenset({Status.CLOSED, Status.CANCELLED, Status.MERGED})


def enrich(incident_id: str, *, table: Table, alarm_tags: AlarmTags, bundle: Bundle, clock: Clock) -> Incident:
    """Triage `incident_id` as it is now; nothing is written when that would say nothing new.

    Raises:
        NotFound: no such incident.
        Unavailable: the table failed; the event will be delivered again.
    """
    incident = table.incident(incident_id)
    evidence = gather(incident, table, alarm_tags)
    around = _looked_around(incident, evidence, table, bundle, clock())

    def decide(current: Incident) -> Decision:
        change = judged(current, evidence, bundle, clock(), around)
        if change is None:
            return None
        writes: list[Write] = [situation_write(incident_id, around.situation)] if around else []
        if change.incident.mode is not current.mode:
            writes += promoting_writes(members_of(table, incident_id)[:MAX_WRITES])
        return change, writes

    return amend(table, incident_id, decide)


def _looked_around(
    incident: Incident, evidence: Evidence, table: Table, bundle: Bundle, at: datetime
) -> Surroundings | None:
    """Once, and again where it is another service's now, or goes live: a joining signal alone is no reason."""
    if _settled(incident) or incident.kind is Kind.HEARTBEAT:
        return None
    triage = classify(incident, evidence, bundle)
    if not _first(incident) and incident.triaged_as == triage.mode.value:
        before = situation_of(table, incident.id)
        if before and before.service == triage.service:
            return None
    judged = {name: getattr(triage, name) for name in ("service", "severity", "environment", "mode")}
    return Looking(incident.model_copy(update=judged), table, bundle, at).around(triage, evidence)


def judged(
    incident: Incident, evidence: Evidence, bundle: Bundle, at: datetime, around: Surroundings | None = None
) -> Change | None:
    """The change that records the triage of `incident`; None when it is over or nothing would change.

    A resolved incident is still triaged once: its postmortem and numbers need the service and severity.
    """
    if _settled(incident):
        return None
    triage = classify(incident, evidence, bundle)
    if around:
        triage = replace(triage, missing=triage.missing + around.missing)
    if not (_first(incident) or around or _news(incident, triage)):
        return None
    steps = Change(incident, (), incident.timeline_seq)
    if triage.mode is not incident.mode:
        steps = _then(steps, _promoted(incident, triage, at))
    for link in around.links if around else ():
        if link.other.id not in steps.incident.related:
            steps = _then(steps, linking(steps.incident, link, at))
    return _then(steps, triaged(steps.incident, triage, evidence, at, around.situation if around else None))


def _first(incident: Incident) -> bool:
    return incident.triaged_as in ("", "overdue")


def _settled(incident: Incident) -> bool:
    return incident.status in _OVER or (incident.status is Status.RESOLVED and not _first(incident))


def _then(before: Change, more: Change) -> Change:
    return Change(more.incident, before.entries + more.entries, before.expected_seq)


def _promoted(incident: Incident, triage: Triage, at: datetime) -> Change:
    return recorded(
        incident,
        "IncidentPromoted",
        actor=SYSTEM,
        at=at,
        text=f"monitor → live: {triage.mode_reason}",
        data={"why": triage.mode_reason},
        mode=triage.mode,
        mode_reason=triage.mode_reason,
    )


def _news(incident: Incident, triage: Triage) -> bool:
    known = (
        incident.triaged_as,
        incident.service,
        incident.severity,
        incident.environment,
        incident.labels,
        incident.receiver,
        incident.responders,
        incident.blast_radius,
        incident.proposed,
    )
    now = (
        triage.mode.value,
        triage.service,
        triage.severity,
        triage.environment,
        triage.labels,
        triage.ruling.receiver,
        triage.ruling.responders,
        triage.blast_radius,
        triage.proposed,
    )
    return known != now
