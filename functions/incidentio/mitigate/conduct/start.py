"""Starting runs: those that were asked for, and those a team lets start by themselves."""

from incidentio.core.amend import amend
from incidentio.core.errors import Conflict, Forbidden, IncidentioError, InvalidInput, NotFound
from incidentio.core.events import DomainEvent
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.signal import Kind, Mode
from incidentio.core.targets import target_name
from incidentio.mitigate.conduct.score import Score
from incidentio.mitigate.requests import request_run
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, ended, load_run, told


def start_requested(score: Score, event: DomainEvent) -> None:
    """PlaybookRequested: start its machine, once, however often the event comes."""
    run_id = str(event.data["run_id"])
    start_run(score, load_run(score.table, event.incident_id, run_id))


def start_run(score: Score, run: Run) -> None:
    """Start the run's own execution unless it is past that."""
    if run.status != "requested":
        return
    given = {"run_id": run.run_id, "incident_id": run.incident_id, "mode": "run"}
    try:
        score.executions.start(run.playbook, run.run_id, given)
    except NotFound as error:
        refuse(score, run, error.message)


def refuse(score: Score, run: Run, why: str) -> None:
    """The run never started, and the timeline says why."""

    def decide(incident: Incident, run: Run) -> Move | None:
        if run.finished:
            return None
        now = score.clock()
        after, writes = ended(score.table, run, "refused", at=now, reason=why)
        text = f"{run.playbook} on {target_name(run.target)} was refused, nothing was changed: {why}"
        return Move(after, told(incident, run, "PlaybookRefused", at=now, text=text, data={"reason": why}), writes)

    advance(score.table, run.incident_id, run.run_id, decide)


def start_by_itself(score: Score, event: DomainEvent) -> None:
    """IncidentTriaged: ask for every proposed playbook that the service's team opted in to.

    At most once per playbook and episode of impact. Safe and read-only playbooks, live and real
    incidents; the gate checks all of it again.
    """
    incident = score.table.incident(event.incident_id)
    for name in chosen(score, incident):
        try:
            request_run(
                score.table,
                score.bundle,
                incident.id,
                name,
                actor=SYSTEM,
                now=score.clock(),
                account=score.account,
                region=score.region,
                seed=f"{name} episode {incident.episode}",
            )
        except (InvalidInput, Conflict, Forbidden, NotFound) as error:
            _not_started(score, incident.id, name, error)


def chosen(score: Score, incident: Incident) -> list[str]:
    """The playbooks that may start by themselves for this incident, now."""
    service = score.bundle.catalog.services.get(incident.service or "")
    acts = incident.is_open and incident.mode is Mode.LIVE and incident.kind is Kind.REAL and not incident.hands_off
    if service is None or not acts:
        return []
    return [
        name
        for name in incident.proposed
        if name in service.automation.auto
        and name in score.bundle.playbooks
        and score.bundle.playbooks[name].risk.may_start_itself
    ]


def _not_started(score: Score, incident_id: str, playbook: str, error: IncidentioError) -> None:
    """Say once per episode why automation did nothing."""

    def decide(incident: Incident) -> Change | None:
        said = any(
            e.type == "PlaybookRefused"
            and e.data.get("playbook") == playbook
            and e.data.get("episode") == incident.episode
            for e in score.table.timeline(incident_id)
        )
        if said or not incident.is_open:
            return None
        return recorded(
            incident,
            "PlaybookRefused",
            actor=SYSTEM,
            at=score.clock(),
            text=f"{playbook} did not start by itself: {error.message}",
            data={"playbook": playbook, "reason": error.message, "episode": incident.episode},
        )

    amend(score.table, incident_id, decide)
