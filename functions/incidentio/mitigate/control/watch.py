"""After the last step: did it help, and does anything say stop?"""

from datetime import datetime, timedelta

from incidentio.core.counted import counted
from incidentio.core.ids import iso, moment
from incidentio.core.incident import Incident, Status
from incidentio.core.ports import Put
from incidentio.core.redaction import redact
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.locks import lock_record
from incidentio.mitigate.leases import lease_record
from incidentio.mitigate.run import Lease, Run
from incidentio.mitigate.runs import Move, advance, ended, told
from incidentio.mitigate.surviving import surviving

_LOCK_MARGIN = timedelta(hours=1)


def watch(desk: Desk, request: Request) -> Answer:
    """One poll: `go` when every signal of the incident is ok, `again`, or `stop` with the reason kept in the run."""
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        if run.status != "running":
            answer.update(decision="stop")
            return None
        carrying = surviving(desk.table, incident)
        why = _cancelled(carrying) or desk.stopped(incident, run) or desk.alarm_stops(run.playbook)
        firing = carrying.firing if carrying.is_open and not why else 0
        if not why and request.last and firing:
            why = f"{counted(firing, 'signal')} still firing when the time to verify was over"
        if why:
            answer.update(decision="stop")
            return Move(run.having(reason=redact(why, limit=1000)))
        answer.update(decision="again" if firing else "go")
        return None

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def settle(desk: Desk, request: Request) -> Answer:
    """The run succeeded: its change is borrowed for `borrow_seconds`, or stays, and the lock is released.

    Only what is running can succeed: a run that is being undone is not, whatever a late answer says.
    """

    def decide(incident: Incident, run: Run) -> Move | None:
        if run.status != "running":
            return None
        now = desk.clock()
        borrows = request.borrow_seconds > 0
        after, writes = ended(desk.table, run, "succeeded", at=now, reason="", keeps_lock=borrows)
        name = run.where
        changed = "; ".join(step.summary for step in run.steps if step.summary) or "nothing had to be changed"
        change = told(
            incident,
            run,
            "PlaybookSucceeded",
            at=now,
            text=f"{run.playbook} on {name} succeeded: {changed}",
            data={"steps": [{"step": s.n, "before": s.before, "after": s.after} for s in run.steps]},
        )
        if not borrows:
            return Move(after, change, writes)
        # An incident that is over already has nobody to keep the change for.
        until = now + timedelta(seconds=request.borrow_seconds) if surviving(desk.table, incident).is_open else now
        after = after.having(lease=Lease(opened_at=now, at_latest=until))
        writes += [Put(lease_record(after)), *kept_locks(after, now, until)]
        change = told(
            change,
            run,
            "LeaseOpened",
            at=now,
            text=f"the change on {name} is borrowed: given back when {incident.id} is over, at latest {moment(until)}",
            data={"at_latest": iso(until)},
            open_leases=change.incident.open_leases + 1,
        )
        return Move(after, change, writes)

    advance(desk.table, request.incident_id, request.run_id, decide)
    return {"decision": "end"}


def kept_locks(run: Run, now: datetime, until: datetime) -> list[Put]:
    """The locks of a loan: kept a little longer than it."""
    ends = until + _LOCK_MARGIN
    return [Put(lock_record(run, target, now, ends), {"run_id": run.run_id}) for target in run.all_targets]


def _cancelled(incident: Incident) -> str | None:
    return f"{incident.id} was cancelled" if incident.status is Status.CANCELLED else None
