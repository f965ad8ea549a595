"""Starting runs: those that were asked for, and those a team lets start by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

from incidentio.aws.observability import log
from incidentio.core.amend import amend
from incidentio.core.errors import Conflict, Forbidden, IncidentioError, InvalidInput, NotFound
from incidentio.core.events import DomainEvent
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.signal import Kind
from incidentio.mitigate.breaker import open_since
from incidentio.mitigate.conduct.score import Score
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, ended, load_run, told
from incidentio.mitigate.track_record import stale_here


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
        text = f"{run.playbook} on {run.where} was refused, nothing was changed: {why}"
        return Move(after, told(incident, run, "PlaybookRefused", at=now, text=text, data={"reason": why}), writes)

    advance(score.table, run.incident_id, run.run_id, decide)


def start_by_itself(score: Score, event: DomainEvent) -> None:
    """IncidentTriaged: ask for every proposed playbook that the service's team opted in to.

    At most once per playbook and episode of impact. Safe and read-only playbooks, real incidents; the gate checks
    all of it again. In monitor mode and in maintenance the timeline says what would have started; after the
    maintenance it starts. What was not rehearsed lately is held too. What people ask for is not held.
    """
    incident = score.table.incident(event.incident_id)
    names = chosen(score, incident)
    if not names:
        return
    if hold := held_back(score, incident):
        _would_have_started(score, incident.id, names, hold)
        return
    from incidentio.mitigate.requests import request_run  # noqa: PLC0415 - little starts by itself

    for name in names:
        if why := open_since(score.table, name):
            _would_have_started(score, incident.id, [name], Hold(f"breaker {name}", why, {}))
            continue
        if why := stale_here(score.table, score.bundle, name, incident.service, score.clock()):
            _would_have_started(score, incident.id, [name], Hold(f"stale {name}", why, {}))
            continue
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


@dataclass(frozen=True)
class Hold:
    """Why automation does not start by itself. `code` is the same for the same reason."""

    code: str
    reason: str
    data: Mapping[str, str]


def held_back(score: Score, incident: Incident) -> Hold | None:
    """Monitor mode, or the maintenance window the incident is in now."""
    from incidentio.core.quiet import monitored_by, quiets_at  # noqa: PLC0415 - as above

    routing = score.bundle.catalog.routing
    if monitored := monitored_by(incident, routing):
        return Hold("monitor", monitored, {})
    quiets = quiets_at(score.table, routing.maintenance, score.clock())
    for broken in quiets.broken:
        log("holds nothing back: it cannot be evaluated", level="ERROR", quiet=broken.id, detail=broken.why)
    quiet = quiets.maintenance_of(incident)
    if quiet is None:
        return None
    told_by = {"quiet": quiet.id, "author": quiet.author, "comment": quiet.reason, "until": iso(quiet.until)}
    return Hold(f"{quiet.id} {iso(quiet.until)}", str(quiet), told_by)


def chosen(score: Score, incident: Incident) -> list[str]:
    """The playbooks that the service's team lets start by themselves for this incident."""
    service = score.bundle.catalog.services.get(incident.service or "")
    acts = incident.is_open and incident.kind is Kind.REAL and not incident.hands_off
    if service is None or not acts:
        return []
    return [
        name
        for name in incident.proposed
        if name in service.automation.auto
        and name in score.bundle.playbooks
        and score.bundle.playbooks[name].risk.may_start_itself
    ]


def _would_have_started(score: Score, incident_id: str, playbooks: list[str], hold: Hold) -> None:
    """Say once per episode and reason what did not start."""
    names = ", ".join(playbooks)

    def decide(incident: Incident) -> Change | None:
        said = any(
            e.type == "AutomationHeld" and e.data["code"] == hold.code and e.data["episode"] == incident.episode
            for e in score.table.timeline(incident_id)
        )
        if said or not incident.is_open:
            return None
        return recorded(
            incident,
            "AutomationHeld",
            actor=SYSTEM,
            at=score.clock(),
            text=f"{names} did not start by itself: {hold.reason}",
            data={
                "playbooks": playbooks,
                "code": hold.code,
                "reason": hold.reason,
                "episode": incident.episode,
                **hold.data,
            },
        )

    amend(score.table, incident_id, decide)


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
