"""The `IncidentTriaged` entry: what was decided and found, for people and for programs, and each time why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.redaction import redact
from incidentio.core.signal import Mode
from incidentio.core.situation import Situation
from incidentio.triage.classify import Triage
from incidentio.triage.evidence import Evidence

_LISTED = 10


def triaged(
    incident: Incident, triage: Triage, evidence: Evidence, at: datetime, situation: Situation | None
) -> Change:
    return recorded(
        incident,
        "IncidentTriaged",
        actor=SYSTEM,
        at=at,
        text=redact(_sentence(triage, situation), limit=1200),
        data={
            "service": triage.service,
            "service_why": redact(triage.service_why, limit=300),
            "severity": triage.severity.value,
            "severity_why": redact(triage.severity_why, limit=300),
            "environment": triage.environment,
            "environment_why": redact(triage.environment_why, limit=300),
            "mode": triage.mode.value,
            **_ruled(triage),
            **({"would": list(triage.ruling.would)} if triage.ruling.would else {}),
            "blast_radius": list(triage.blast_radius),
            "proposed": list(triage.proposed),
            "proposed_why": dict(triage.proposed_why),
            **(_found(situation) if situation else {}),
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


def _found(situation: Situation) -> dict[str, Any]:
    """The short of it; the rest is in the CONTEXT record."""
    return {
        "suspects": [{"id": s.id, "what": s.sentence, "score": s.score, "why": s.why} for s in situation.suspects[:3]],
        "similar": [{"incident_id": s.incident_id, "score": s.score, "why": s.why} for s in situation.similar],
        "traces": {kind: list(ids) for kind, ids in situation.traces.items()},
        "completeness": situation.completeness,
        "gaps": [gap.name for gap in situation.gaps],
    }


def _sentence(triage: Triage, situation: Situation | None) -> str:
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
    parts += [f"{would} (it is in monitor mode)" for would in triage.ruling.would]
    if triage.blast_radius:
        parts.append(f"also affects {', '.join(triage.blast_radius)}")
    if triage.proposed:
        parts.append(f"proposed: {', '.join(triage.proposed)}")
    if situation and situation.suspects:
        first = situation.suspects[0]
        parts.append(f"suspect: {first.sentence} ({first.score} of 100: {first.why})")
    if situation and situation.similar:
        parts.append(f"like {', '.join(f'{s.incident_id} ({s.score} %)' for s in situation.similar)}")
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
