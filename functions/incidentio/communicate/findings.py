"""What triage found, in the few lines that fit a page."""

from datetime import datetime

from incidentio.communicate.background import Background
from incidentio.core.catalog import Catalog
from incidentio.core.impact import estimate
from incidentio.core.incident import Incident
from incidentio.core.situation import Situation, Suspect

_LIKELY = 50
"""A suspect of at least this score is named in the subject line."""
_SUSPECTS = 2


def suspected(situation: Situation, at: datetime | None) -> str:
    """`deploy 6 min ago`, as of `at`; empty where nothing is likely enough."""
    if not situation.suspects or at is None:
        return ""
    first = situation.suspects[0]
    minutes = round((at - first.at).total_seconds() / 60)
    return f"{first.kind} {minutes} min ago" if first.score >= _LIKELY and first.minutes >= 0 <= minutes else ""


def findings(incident: Incident, background: Background, catalog: Catalog, at: datetime) -> list[str]:
    """Suspects, linked and similar incidents, impact, whom to turn to, and what was not known."""
    situation = background.situation
    lines = [_suspect(suspect) for suspect in situation.suspects[:_SUSPECTS]]
    lines += [_related(incident, other, catalog) for other in background.related]
    for similar in situation.similar[:1]:
        fixed = f"; then: {similar.fixed_by}" if similar.fixed_by else ""
        lines.append(f"Similar: {similar.incident_id} ({similar.score} %), {f'{similar.title}{fixed}'.rstrip('.')}.")
    if hit := estimate(incident, catalog, at).sentence:
        lines.append(f"Impact: {hit}.")
    lines += _people(incident, catalog)
    lines += [f"Trace {kind}: {', '.join(ids)}" for kind, ids in situation.traces.items()]
    if situation.gaps:
        missing = ", ".join(gap.name for gap in situation.gaps)
        lines.append(f"Context {situation.completeness} of 100; missing: {missing}.")
    return lines


def _suspect(suspect: Suspect) -> str:
    return f"Suspect: {suspect.sentence} ({suspect.score} of 100: {suspect.why})."


def _related(incident: Incident, other: Incident, catalog: Catalog) -> str:
    why = catalog.relation(incident.service, other.service)
    because = f", because {why}" if why else ""
    return (
        f"Linked: {other.id} {other.severity.value} {other.service or 'unknown'} ({other.status.value}), "
        f"{f'{other.title}{because}'.rstrip('.')}."
    )


def _people(incident: Incident, catalog: Catalog) -> list[str]:
    service = catalog.services.get(incident.service or "")
    owner = f"{service.owner} (owner)" if service and service.owner else ""
    turn_to = [who for who in (owner, *incident.responders) if who]
    return [f"Turn to: {', '.join(turn_to)}."] if turn_to else []
