"""The end of an undo: what was given back, what was not, and what a person must do now."""

from collections.abc import Sequence
from datetime import datetime

from incidentio.core.incident import Change, Incident
from incidentio.core.ports import Delete, Put, Write
from incidentio.core.redaction import redact
from incidentio.core.risk import Risk
from incidentio.mitigate.aftermath import account_of, results_of, told_of
from incidentio.mitigate.breaker import scope_of, tripped
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.gate import refusal
from incidentio.mitigate.keys import lease_key
from incidentio.mitigate.leases import failed_lease, lease_record
from incidentio.mitigate.run import Run, RunStatus, RunStep
from incidentio.mitigate.runs import Move, advance, ended, released, told


def finish(desk: Desk, request: Request) -> Answer:
    """`end` (nothing is wrong) or `fail` (a run was rolled back, or a person is needed); `cause` says what happened."""

    def decide(incident: Incident, run: Run) -> Move | None:
        if run.lease and run.lease.status == "restoring":
            return _lease_over(desk, incident, run)
        if run.finished:
            return None
        if not run.touched:
            return refusal(desk, incident, run, run.reason or "it was stopped")
        return _run_over(desk, incident, run)

    run = advance(desk.table, request.incident_id, request.run_id, decide)
    good = run.status == "refused" or (run.lease is not None and run.lease.status in ("restored", "foreign"))
    cause = f"{run.run_id}: {run.outcome}; {run.reason or 'see the timeline of ' + run.incident_id}"
    return {"decision": "end" if good else "fail", "outcome": run.outcome or "ended", "cause": cause[:1000]}


def _run_over(desk: Desk, incident: Incident, run: Run) -> Move:
    now = desk.clock()
    run = _by_people(run)
    failed = _with(run, "failed")
    status: RunStatus = "rollback_failed" if failed else "rolled_back"
    after, writes = ended(desk.table, run, status, at=now, reason=run.reason)
    change: Incident | Change = incident
    if not failed:
        change = told(
            change,
            after,
            "PlaybookRolledBack",
            at=now,
            text=f"{run.playbook} on {run.where} {_stopped(run)}: {run.reason}. {account_of(run)}",
            data={"reason": run.reason, "steps": results_of(run)},
        )
    left = _left_to_people(desk, change, after) or change
    return Move(after, circuit(left, after, writes, now) if tripped(writes) else _only_change(left), writes)


def _stopped(run: Run) -> str:
    return "only looked, and was stopped" if run.risk is Risk.READ_ONLY else "was rolled back"


def circuit(on: Incident | Change, run: Run, writes: Sequence[Write], now: datetime) -> Change:
    """One more entry: the playbook's breaker opened with the end of this run."""
    return told(
        on,
        run,
        "CircuitOpened",
        at=now,
        text=f"{run.playbook} does not start by itself any more: {tripped(writes)}. To let it: "
        f"incidentio hands-off {scope_of(run.playbook)} off --reason …",
        data={"scope": scope_of(run.playbook)},
    )


def _only_change(on: Incident | Change) -> Change | None:
    return on if isinstance(on, Change) else None


def _lease_over(desk: Desk, incident: Incident, run: Run) -> Move:
    """A lease that could not be given back stays open, keeps its lock and blocks closing, until it can."""
    lease = run.lease
    if lease is None:
        raise ValueError(f"{run.run_id} borrowed nothing")
    run = _by_people(run)
    if _with(run, "failed"):
        after = run.having(lease=failed_lease(lease, desk.clock()))
        return Move(after, _left_to_people(desk, incident, after), [Put(lease_record(after))])
    foreign = _with(run, "foreign")
    after = run.having(lease=lease.model_copy(update={"status": "foreign" if foreign else "restored"}))
    writes: list[Write] = [Delete(lease_key(run.run_id)), *released(desk.table, run)]
    change: Incident | Change = incident
    text = f"what {run.playbook} borrowed on {run.where} was given back: {account_of(run)}"
    if foreign:
        text = f"the loan of {run.playbook} on {run.where} is over: {account_of(run)}"
    change = told(
        change,
        after,
        "LeaseRestored",
        at=desk.clock(),
        text=text,
        data={"steps": results_of(run)},
        open_leases=max(0, incident.open_leases - 1),
    )
    return Move(after, _left_to_people(desk, change, after), writes)


def _left_to_people(desk: Desk, on: Incident | Change, run: Run) -> Change | None:
    """The entries that ask for a person, each with the commands to paste."""
    change = on if isinstance(on, Change) else None
    for type, steps, what in (
        ("RollbackFailed", _with(run, "failed"), "could not be given back"),
        ("ForeignChangeFound", _with(run, "foreign"), "was changed by somebody else and is left alone"),
        ("UndoLeftToPeople", _with(run, "stays"), "stays as it is"),
    ):
        if steps:
            text, data = told_of(run, steps, headline=f"{run.where} {what} after {run.playbook}")
            change = told(change or on, run, type, at=desk.clock(), text=text, data=data)
    return change


def _by_people(run: Run) -> Run:
    """What people did, or were asked to do and may have done, stays until people undo it."""
    for step in run.steps:
        if step.status == "asked":
            unknown = f"it is not known whether a person did this: {step.given['manual']}"
            run = run.with_step(step.n, status="stays", undo_summary=redact(unknown, limit=500))
        elif step.kind == "manual" and step.status == "done":
            run = run.with_step(step.n, status="stays", undo_summary=f"{step.summary}; only a person can undo it")
    return run


def _with(run: Run, status: str) -> list[RunStep]:
    return [step for step in run.steps if step.status == status]
