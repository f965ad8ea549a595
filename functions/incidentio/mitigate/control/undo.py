"""Giving back, in reverse. No flag, freeze or limit stands in the way of any of this."""

from incidentio.core.errors import NotFound
from incidentio.core.incident import Incident
from incidentio.core.ports import Put
from incidentio.core.redaction import redact
from incidentio.core.risk import Risk
from incidentio.mitigate.control.caught import cause_of
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.hold import held
from incidentio.mitigate.keys import snapshot_key
from incidentio.mitigate.leases import lease_record
from incidentio.mitigate.run import MAYBE_CHANGED, Run, RunStep, UndoResult
from incidentio.mitigate.runs import Move, advance, load_run, told

_RESULTS: dict[str, UndoResult] = {
    "restored": "restored",
    "already": "already",
    "foreign": "foreign",
    "stays": "stays",
    "failed": "failed",
}


def stop(desk: Desk, request: Request) -> Answer:
    """The run goes no further; why, for everybody to read. `undo`, or `end` when it was over before.

    It is over when the answer that would have said so got lost: what succeeded then stays as it is. And it is over
    when people said to hold: then what was changed is a loan, given back like any other.
    """

    def decide(incident: Incident, run: Run) -> Move | None:
        if run.finished or run.status == "undoing":
            return None
        why = run.reason or redact(cause_of(request.error), limit=1000) or "it was stopped"
        if _keeps(desk, incident, run):
            return held(desk, incident, run, why)
        return _stopped(desk, incident, run, why)

    run = advance(desk.table, request.incident_id, request.run_id, decide)
    return {"decision": "end" if run.finished else "undo", "outcome": run.outcome or "ended"}


def resume(desk: Desk, request: Request) -> Answer:
    """Another execution of a run: gives a lease back (`revert`) or cleans up after a dead execution (`recover`).

    `wait` first lets an action that may still be running come to its end; `done` when nothing is left to do.
    """
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        if request.mode == "revert":
            if run.lease is None or not run.lease.is_open:
                answer.update(decision="done")
                return None
            answer.update(decision="undo" if run.lease.status == "open" else "wait")
            lease = run.lease.model_copy(update={"status": "restoring", "attempts": request.attempt})
            after = run.having(lease=lease)
            return Move(after, writes=[Put(lease_record(after))])
        if run.finished:
            answer.update(decision="done")
            return None
        answer.update(decision="wait" if run.touched else "undo")
        after = run.having(recoveries=request.attempt)
        if run.status == "undoing":
            return Move(after)
        why = "its execution ended before it was done"
        if _keeps(desk, incident, run):
            answer.update(decision="done")
            return held(desk, incident, after, why)
        return _stopped(desk, incident, after, why)

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def undo(desk: Desk, request: Request) -> Answer:
    """The next step to give back, below the last one: always towards the first, so it ends."""
    run = load_run(desk.table, request.incident_id, request.run_id)
    candidates = [step for step in run.steps if step.n < request.below and step.status in MAYBE_CHANGED]
    if not candidates:
        return {"decision": "finish", "undo": {"step": 0}}
    step = candidates[-1]
    kept = desk.table.get(snapshot_key(run.run_id, step.n))
    if kept is None:
        raise NotFound(f"{run.run_id} has no snapshot of step {step.n}")
    call = {
        "step": step.n,
        "action": step.action,
        "with": step.given,
        "target": run.target_of(step),
        "snapshot": {**kept["snapshot"], **({"refused": True} if step.refused else {})},
    }
    return {"decision": "undo", "undo": call}


def undone(desk: Desk, request: Request) -> Answer:
    """Record what one rollback came to. An answer nobody knows counts as failed."""
    told_by_action = request.undone or {}

    def decide(_incident: Incident, run: Run) -> Move | None:
        step: RunStep = run.step(request.step)
        if step.status not in MAYBE_CHANGED:
            return None
        result = _RESULTS.get(str(told_by_action.get("result")), "failed")
        summary = redact(cause_of(str(told_by_action.get("summary") or result)), limit=500)
        return Move(run.with_step(request.step, status=result, undo_summary=summary))

    advance(desk.table, request.incident_id, request.run_id, decide)
    return {"decision": "next"}


def _keeps(desk: Desk, incident: Incident, run: Run) -> bool:
    """Whether what it changed is held. What only looked changed nothing, and has no lock to hold it with."""
    return run.risk is not Risk.READ_ONLY and run.touched and desk.holds(incident, run)


def _stopped(desk: Desk, incident: Incident, run: Run, why: str) -> Move:
    after = run.having(status="undoing", reason=why)
    undoing = "; giving back what it changed" if run.touched else ""
    change = told(
        incident,
        after,
        "PlaybookStopped",
        at=desk.clock(),
        text=f"{run.playbook} on {run.where} stopped: {why}{undoing}",
        data={"reason": why},
    )
    return Move(after, change)
