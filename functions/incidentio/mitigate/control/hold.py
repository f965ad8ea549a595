"""A run that people stopped with the word to hold: it ends where it is, and what it changed is a loan."""

from incidentio.core.ids import iso, moment
from incidentio.core.incident import Incident
from incidentio.core.ports import Put
from incidentio.mitigate.control.desk import Desk
from incidentio.mitigate.control.watch import kept_locks
from incidentio.mitigate.leases import LONGEST_HOLD, lease_record
from incidentio.mitigate.run import Lease, Run
from incidentio.mitigate.runs import Move, ended, told
from incidentio.mitigate.surviving import surviving


def held(desk: Desk, incident: Incident, run: Run, why: str) -> Move:
    """Nothing more is done, and nothing given back until the incident is over, the loan ends, or people ask for it."""
    now = desk.clock()
    after, writes = ended(desk.table, run, "held", at=now, reason=why, keeps_lock=True)
    definition = desk.playbook(run.playbook)
    longest = definition.revert.at_latest if definition and definition.revert else LONGEST_HOLD
    until = now + longest if surviving(desk.table, incident).is_open else now
    after = after.having(lease=Lease(opened_at=now, at_latest=until))
    changed = "; ".join(step.summary or f"{step.action} under way" for step in run.steps if step.touched)
    change = told(
        incident,
        after,
        "PlaybookHeld",
        at=now,
        text=f"{run.playbook} on {run.where} stopped where it is: {why}. What it changed is held: {changed}. "
        f"It is given back when {incident.id} is over, at latest {moment(until)}, or with: "
        f"incidentio playbooks restore {run.run_id}",
        data={"reason": why, "at_latest": iso(until)},
        open_leases=incident.open_leases + 1,
    )
    return Move(after, change, [*writes, Put(lease_record(after)), *kept_locks(after, now, until)])
