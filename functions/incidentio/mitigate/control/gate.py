"""The policy gate, before and after the approval. A refusal is recorded here, with its reason."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from incidentio.core.duration import format_duration
from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident
from incidentio.core.ports import Key, Put, Record, Write
from incidentio.core.signal import Kind, Mode
from incidentio.core.targets import target_name
from incidentio.mitigate.breaker import open_since
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.keys import approval_key, incident_of_run, rate_partition
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, ended, load_run, told
from incidentio.mitigate.track_record import stale_here

if TYPE_CHECKING:
    from incidentio.core.playbook import Freeze, Playbook

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNDONE_WITHIN = timedelta(hours=24)
"""How far back a change may lie that a rollback would undo."""
_PASSED = frozenset({"running", "refused", "undoing", "rolled_back", "rollback_failed", "succeeded", "held", "planned"})
"""Beyond the gate: whoever asks now comes late, gets no leave to act, and must not end a run that has its lock."""


def gate(desk: Desk, request: Request) -> Answer:
    """`go`, `plan` (a dry run) or `refuse`. The same answer each time it is asked again."""
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        if run.status in _PASSED:
            answer.update(decision="refuse")
            return None
        why = objection(desk, request, incident, run)
        if why is None:
            answer.update(decision="plan" if run.dry_run else "go")
            return None
        answer.update(decision="refuse", reason=why)
        return refusal(desk, incident, run, why)

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def refusal(desk: Desk, incident: Incident, run: Run, why: str) -> Move:
    """The run is over before it changed anything: recorded, lock released, a waiting approval expired."""
    now = desk.clock()
    after, writes = ended(desk.table, run, "refused", at=now, reason=why)
    start: Incident | Change = incident
    expired = _expired_approval(desk, run, now)
    if expired:
        writes.append(expired)
        start = told(
            incident,
            run,
            "ApprovalExpired",
            at=now,
            text=f"the approval of {run.playbook} on {run.where} was not used: {why}",
            data={"approval_id": run.approval_id},
        )
    change = told(
        start,
        run,
        "PlaybookRefused",
        at=now,
        text=f"{run.playbook} on {run.where} was refused, nothing was changed: {why}",
        data={"reason": why},
    )
    return Move(after, change, writes)


def objection(desk: Desk, request: Request, incident: Incident, run: Run) -> str | None:
    """The first reason why `run` may not act now, as a sentence part."""
    definition = desk.playbook(run.playbook)
    if definition is None:
        return f"{run.playbook} is no longer a playbook of this deployment"
    if not request.definition == run.definition_hash == definition.definition_hash:
        return (
            f"the definition of {run.playbook} changed since it was asked for "
            f"({run.definition_hash} then, {request.definition} in the state machine)"
        )
    if run.dry_run:
        return None
    now = desk.clock()
    return (
        _about_incident(incident, run)
        or desk.stopped(incident, run)
        or (open_since(desk.table, run.playbook) if run.automatic else None)
        or (stale_here(desk.table, desk.bundle, run.playbook, run.service, now) if run.automatic else None)
        or _frozen(definition, now)
        or _would_break(desk, definition, incident, now)
        or too_often(desk, definition, run, now)
        or desk.alarm_stops(run.playbook)
        or (_not_approved(desk, run) if request.stage == "approved" else None)
    )


def _about_incident(incident: Incident, run: Run) -> str | None:
    if not incident.is_open:
        return f"{incident.id} is {incident.status.value}"
    if run.automatic and (incident.mode is not Mode.LIVE or incident.kind is not Kind.REAL):
        return f"{incident.id} is {incident.mode.value} and {incident.kind.value}: nothing starts by itself for it"
    return None


def _frozen(definition: "Playbook", now: datetime) -> str | None:
    for window in definition.freeze:
        if _inside(window, now):
            why = f" ({window.why})" if window.why else ""
            return f"changes are frozen from {window.start} to {window.end} UTC{why}"
    return None


def _would_break(desk: Desk, definition: "Playbook", incident: Incident, now: datetime) -> str | None:
    """Why the change that a rollback would undo must stay."""
    if not definition.undoes_change:
        return None
    from incidentio.core.changes import not_reversible  # noqa: PLC0415 - few playbooks undo one

    change = not_reversible(desk.table, incident.service, incident.environment, since=now - _UNDONE_WITHIN)
    if change is None:
        return None
    by = f" by {change.actor}" if change.actor else ""
    why = f": {change.reason}" if change.reason else ""
    return (
        f"it would undo a change of {incident.service} that is recorded as not reversible, "
        f"{change.what} ({iso(change.at)}{by}){why}. Repair it forward"
    )


def _inside(window: "Freeze", now: datetime) -> bool:
    clock = now.strftime("%H:%M")
    if window.start < window.end:
        return _DAYS[now.weekday()] in window.days and window.start <= clock < window.end
    yesterday = _DAYS[(now.weekday() - 1) % 7]
    return (_DAYS[now.weekday()] in window.days and clock >= window.start) or (
        yesterday in window.days and clock < window.end
    )


def too_often(desk: Desk, definition: "Playbook", run: Run, now: datetime) -> str | None:
    """Why the rate limit or the cool-down says no. Asked again by the lock, where runs meet one by one."""
    return next((why for target in run.all_targets if (why := _too_often(desk, definition, run, target, now))), None)


def _too_often(desk: Desk, definition: "Playbook", run: Run, target: str, now: datetime) -> str | None:
    limit = definition.rate_limit
    partition = rate_partition(run.playbook, target)
    started = [
        (datetime.fromisoformat(str(body["at"])), str(body["run_id"]))
        for _, body in desk.table.query(partition)
        if body["run_id"] != run.run_id
    ]
    recent = [at for at, _ in started if now - at < limit.per]
    name = target_name(target)
    if len(recent) >= limit.runs:
        return f"it ran {len(recent)} times on {name} in the last {format_duration(limit.per)}: at most {limit.runs}"
    if started and limit.cool_down and (rest := _over_at(desk, *max(started)) + limit.cool_down - now) > timedelta():
        return f"it cools down on {name} for another {format_duration(timedelta(seconds=round(rest.total_seconds())))}"
    return None


def _over_at(desk: Desk, started: datetime, run_id: str) -> datetime:
    """When the run ended; while it has not, when it began (its lock is in the way then)."""
    try:
        return load_run(desk.table, incident_of_run(run_id), run_id).finished_at or started
    except NotFound:
        return started


def rate_records(run: Run, definition: "Playbook", now: datetime, until: datetime) -> list[Record]:
    """One start of a run on each target, over by `until` at most: counted by `too_often` for as long as it matters."""
    forget = max(now + definition.rate_limit.per, until + definition.rate_limit.cool_down)
    body = {"run_id": run.run_id, "at": iso(now)}
    return [
        Record(Key(rate_partition(run.playbook, target), f"{iso(now)}#{run.run_id}"), body, expires_at=forget)
        for target in run.all_targets
    ]


def _not_approved(desk: Desk, run: Run) -> str | None:
    if run.approvals_needed == 0:
        return None
    body = desk.table.get(approval_key(run.incident_id, run.approval_id)) if run.approval_id else None
    if body is None:
        return "nobody was asked to approve it"
    if body["definition_hash"] != run.definition_hash:
        return "the approval is for another definition"
    match body["status"]:
        case "approved":
            return None
        case "rejected":
            by = next((d for d in run.approvals if d.decision == "reject"), None)
            return f"rejected by {by.actor}" + (f": {by.reason}" if by.reason else "") if by else "rejected"
    return "nobody approved it in time"


def _expired_approval(desk: Desk, run: Run, now: datetime) -> Write | None:
    if run.approval_id is None:
        return None
    key = approval_key(run.incident_id, run.approval_id)
    body = desk.table.get(key)
    if body is None or body["status"] != "pending":
        return None
    return Put(Record(key, {**body, "status": "expired", "decided_at": iso(now)}))
