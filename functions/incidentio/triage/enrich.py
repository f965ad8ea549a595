"""The use case: judge an incident and record the judgement, once however often it is asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from incidentio.core.amend import Decision, amend
from incidentio.core.catalog import Bundle
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.members import MAX_WRITES, members_of, promoting_writes
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Clock, Table
from incidentio.core.redaction import redact
from incidentio.core.signal import Mode
from incidentio.triage.classify import Triage, classify
from incidentio.triage.evidence import Evidence
from incidentio.triage.gather import gather
from incidentio.triage.ports import AlarmTags

_LISTED = 10
_OVER = frozenset({Status.CLOSED, Status.CANCELLED, Status.MERGED})


def enrich(incident_id: str, *, table: Table, alarm_tags: AlarmTags, bundle: Bundle, clock: Clock) -> Incident:
    """Triage `incident_id` as it is now; nothing is written when that would say nothing new.

    Raises:
        NotFound: no such incident.
        Unavailable: the table failed; the event will be delivered again.
    """
    evidence = gather(table.incident(incident_id), table, alarm_tags)

    def decide(incident: Incident) -> Decision:
        change = judged(incident, evidence, bundle, clock())
        if change and change.incident.mode is not incident.mode:
            return change, promoting_writes(members_of(table, incident_id)[:MAX_WRITES])
        return change

    return amend(table, incident_id, decide)


def judged(incident: Incident, evidence: Evidence, bundle: Bundle, at: datetime) -> Change | None:
    """The change that records the triage of `incident`; None when it is over or nothing would change.

    A resolved incident is still triaged once: its postmortem and numbers need the service and severity.
    """
    first = incident.triaged_as in ("", "overdue")
    if incident.status in _OVER or (incident.status is Status.RESOLVED and not first):
        return None
    triage = classify(incident, evidence, bundle)
    if not first and not _news(incident, triage):
        return None
    if triage.mode is not incident.mode:
        promoted = recorded(
            incident,
            "IncidentPromoted",
            actor=SYSTEM,
            at=at,
            text=f"monitor → live: {triage.mode_reason}",
            data={"why": triage.mode_reason},
            mode=triage.mode,
            mode_reason=triage.mode_reason,
        )
        enriched = _enriched(promoted.incident, triage, evidence, at)
        return Change(enriched.incident, promoted.entries + enriched.entries, incident.timeline_seq)
    return _enriched(incident, triage, evidence, at)


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


def _enriched(incident: Incident, triage: Triage, evidence: Evidence, at: datetime) -> Change:
    return recorded(
        incident,
        "IncidentTriaged",
        actor=SYSTEM,
        at=at,
        text=redact(_sentence(triage), limit=1000),
        data={
            "service": triage.service,
            "service_why": redact(triage.service_why, limit=300),
            "severity": triage.severity.value,
            "severity_why": redact(triage.severity_why, limit=300),
            "environment": triage.environment,
            "environment_why": redact(triage.environment_why, limit=300),
            "mode": triage.mode.value,
            **_ruled(triage),
            "blast_radius": list(triage.blast_radius),
            "proposed": list(triage.proposed),
            "proposed_why": dict(triage.proposed_why),
            "missing": _listed(triage.missing),
        },
        lifecycle=True,
        triaged_at=incident.triaged_at or at,
        triaged_as=triage.mode.value,
        service=triage.service,
        severity=triage.severity,
        environment=triage.environment,
        labels=dict(triage.labels),
        receiver=triage.ruling.receiver,
        responders=triage.ruling.responders,
        ruled={name: rule for name, rule in triage.ruling.by.items() if "." not in name},
        blast_radius=triage.blast_radius,
        proposed=triage.proposed,
        why=redact(_why(incident, triage, evidence), limit=600),
    )


def _ruled(triage: Triage) -> dict[str, Any]:
    """What rules decided, and which rule each thing: `{"receiver": "page", "rules": {"receiver": "nights"}}`."""
    ruling = triage.ruling
    if not ruling.by:
        return {}
    return {
        "labels": dict(ruling.labels),
        "responders": list(ruling.responders),
        "receiver": ruling.receiver,
        "rules": dict(ruling.by),
    }


def _listed(missing: Sequence[str]) -> list[str]:
    """So many signals can be unreadable that the entry would outgrow the table and the bus."""
    more = len(missing) - _LISTED
    return [redact(text, limit=300) for text in missing[:_LISTED]] + ([f"and {more} more"] if more > 0 else [])


def _sentence(triage: Triage) -> str:
    parts = [
        f"{triage.severity.value}: {triage.severity_why}",
        f"service {triage.service or 'unknown'}: {triage.service_why}",
        f"{triage.environment}: {triage.environment_why}",
    ]
    if triage.ruling.receiver:
        parts.append(f"sent as {triage.ruling.receiver}: rule {triage.ruling.by['receiver']}")
    if triage.ruling.labels:
        labels = ", ".join(f"{n}={v} (rule {triage.ruling.by[f'labels.{n}']})" for n, v in triage.ruling.labels.items())
        parts.append(f"labels {labels}")
    if triage.ruling.responders:
        parts.append(f"turn to {', '.join(triage.ruling.responders)}")
    if triage.blast_radius:
        parts.append(f"also affects {', '.join(triage.blast_radius)}")
    if triage.proposed:
        parts.append(f"proposed: {', '.join(triage.proposed)}")
    if triage.missing:
        parts.append(f"not known: {', '.join(triage.missing)}")
    return "; ".join(parts)


def _why(incident: Incident, triage: Triage, evidence: Evidence) -> str:
    """One sentence: why somebody is told of this."""
    name = incident.subject.alarm_name
    what = f"Alarm {name} fired" if name else f"Incident opened: {incident.title}"
    because = f" ({evidence.reason.rstrip('.')})" if evidence.reason else ""
    where = f" on {triage.environment} service {triage.service}" if triage.service else f" in {triage.environment}"
    affected = f" (depended on by {', '.join(triage.blast_radius)})" if triage.blast_radius else ""
    live = f", and it is live because {triage.mode_reason}" if triage.mode is Mode.LIVE and triage.mode_reason else ""
    return f"{what}{because}{where}{affected}; it is {triage.severity.value} because {triage.severity_why}{live}."
