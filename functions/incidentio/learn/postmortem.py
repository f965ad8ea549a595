"""The facts of a postmortem, gathered from the incident itself. People add why, and what to do about it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from incidentio.core.catalog import Catalog
from incidentio.core.clocks import Clocks, clocks_of
from incidentio.core.impact import estimate
from incidentio.core.incident import Incident
from incidentio.core.situation import Similar, Situation, Suspect
from incidentio.core.timeline import Entry

_TOLD = 1000


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True)


class ImpactFacts(_Facts):
    """`seconds`: from the start of impact until it was mitigated.

    `…_by` says whose numbers these are: the catalogue's, or a person's.
    """

    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    blast_radius: tuple[str, ...]
    users: int | None
    users_by: str
    revenue: str
    revenue_per_minute: str
    revenue_by: str


class StepFacts(_Facts):
    """`said`: of what a person did, what and who."""

    action: str
    said: str = ""
    status: str
    before: Any
    after: Any


class RunFacts(_Facts):
    run_id: str
    playbook: str
    version: str
    target: str
    requester: str
    approved_by: tuple[str, ...]
    outcome: str
    reason: str
    lease: str
    steps: tuple[StepFacts, ...]


class Moment(_Facts):
    seq: int
    at: datetime
    type: str
    actor: str
    text: str


class ActionItem(_Facts):
    what: str = ""
    owner: str = ""
    due: str = ""


class Postmortem(_Facts):
    """`contributing_factors` and `action_items` are for people to fill in.

    Of a very long timeline the first and the last thousand entries are told; `omitted` counts the others.
    """

    schema_version: str = "1.0"
    incident_id: str
    incident_version: int
    drafted_at: datetime
    title: str
    severity: str
    service: str | None
    environment: str
    kind: str
    summary: str
    impact: ImpactFacts
    suspects: tuple[Suspect, ...]
    related: tuple[str, ...]
    similar: tuple[Similar, ...]
    clocks: Clocks
    roles: dict[str, str]
    runs: tuple[RunFacts, ...]
    timeline: tuple[Moment, ...]
    omitted: int = 0
    contributing_factors: tuple[str, ...] = ()
    action_items: tuple[ActionItem, ...] = ()


def facts_of(
    incident: Incident,
    entries: Sequence[Entry],
    runs: Iterable[Mapping[str, Any]],
    situation: Situation | None = None,
    *,
    catalog: Catalog,
    at: datetime,
) -> Postmortem:
    """Pure: everything the draft says comes from these arguments."""
    told = entries if len(entries) <= 2 * _TOLD else [*entries[:_TOLD], *entries[-_TOLD:]]
    return Postmortem(
        incident_id=incident.id,
        incident_version=incident.version,
        drafted_at=at,
        title=incident.title,
        severity=incident.severity.value,
        service=incident.service,
        environment=incident.environment,
        kind=incident.kind.value,
        summary=_summary(incident),
        impact=_impact(incident, catalog, at),
        suspects=situation.suspects if situation else (),
        related=incident.related,
        similar=situation.similar if situation else (),
        clocks=clocks_of(incident),
        roles=incident.roles,
        runs=tuple(_run(run) for run in runs),
        timeline=tuple(Moment(seq=e.seq, at=e.at, type=e.type, actor=e.actor.id, text=e.text) for e in told),
        omitted=len(entries) - len(told),
    )


def _summary(incident: Incident) -> str:
    where = f"{incident.service or 'an unknown service'} ({incident.environment})"
    ended = f", resolved {incident.resolved_at:%Y-%m-%d %H:%M:%S} UTC" if incident.resolved_at else ""
    why = f" {incident.why}" if incident.why else ""
    return (
        f"{incident.severity.value} on {where}: {incident.title}. "
        f"Detected {incident.detected_at:%Y-%m-%d %H:%M:%S} UTC{ended}.{why}"
    )


def _impact(incident: Incident, catalog: Catalog, at: datetime) -> ImpactFacts:
    ended = incident.mitigated_at or incident.resolved_at
    hit = estimate(incident, catalog, at)
    return ImpactFacts(
        started_at=incident.impact_started_at,
        ended_at=ended,
        seconds=max(0.0, round((ended - incident.impact_started_at).total_seconds(), 3)) if ended else None,
        blast_radius=incident.blast_radius,
        users=hit.users,
        users_by=hit.users_by,
        revenue=hit.revenue,
        revenue_per_minute=hit.revenue_per_minute,
        revenue_by=hit.revenue_by,
    )


def _run(run: Mapping[str, Any]) -> RunFacts:
    lease = run.get("lease") or {}
    approved = [a for a in run.get("approvals") or () if a.get("decision") == "approve"]
    return RunFacts(
        run_id=str(run.get("run_id", "")),
        playbook=str(run.get("playbook", "")),
        version=str(run.get("version", "")),
        target=", ".join(str(t).rsplit("|", 1)[-1] for t in run.get("targets") or [run.get("target", "")]),
        requester=_actor(run.get("requester")),
        approved_by=tuple(_actor(a.get("actor")) for a in approved),
        outcome=str(run.get("outcome") or run.get("status") or ""),
        reason=str(run.get("reason") or ""),
        lease=str(lease.get("status") or ""),
        steps=tuple(
            StepFacts(
                action=str(step.get("action", "")),
                said=str(step.get("summary") or "") if step.get("kind") == "manual" else "",
                status=str(step.get("status", "")),
                before=step.get("before"),
                after=step.get("after"),
            )
            for step in run.get("steps") or ()
            if step.get("kind") != "wait" and step.get("status") != "skipped"
        ),
    )


def _actor(value: Any) -> str:
    return str(value.get("id", "")) if isinstance(value, Mapping) else str(value or "")
