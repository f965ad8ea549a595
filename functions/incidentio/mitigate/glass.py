"""Breaking the glass: one person, with a reason, in place of those who should approve. Everybody is told."""

from datetime import datetime
from typing import Any

from incidentio.core.errors import Conflict
from incidentio.core.incident import Change, Incident
from incidentio.core.person import Actor
from incidentio.core.ports import Put, Record, Table
from incidentio.core.redaction import redact
from incidentio.mitigate.keys import approval_key
from incidentio.mitigate.run import Decision, Run
from incidentio.mitigate.runs import Move, advance, told


def broken(
    on: Incident | Change, run: Run, body: dict[str, Any], *, actor: Actor, reason: str, now: datetime
) -> tuple[Run, dict[str, Any], Change]:
    """The run, its approval and the timeline, after `actor` has answered alone."""
    mine = Decision(actor=actor, decision="approve", reason=f"break glass: {reason}", at=now)
    after = run.having(approvals=(*run.approvals, mine), break_glass=reason)
    change = told(
        on,
        after,
        "ApprovalDecided",
        at=now,
        actor=actor,
        text=f"BREAK GLASS: {actor} starts {run.playbook} without approval: {reason}",
        data={"approval_id": body["id"], "decision": "approve", "status": "approved", "break_glass": True},
    )
    decided = {
        "status": "approved",
        "decided_at": now.isoformat(),
        "break_glass": reason,
        "decisions": [d.model_dump(mode="json") for d in after.approvals],
    }
    return after, {**body, **decided}, change


def break_glass(table: Table, run: Run, actor: Actor, reason: str, *, now: datetime) -> Run:
    """Break it for a run that was asked for before, and may be waiting for people by now. Twice is once.

    Raises:
        Conflict: the run waits for nobody: it is under way already.
    """
    said = redact(reason, limit=500)

    def decide(incident: Incident, run: Run) -> Move | None:
        if run.break_glass:
            return None
        if run.status == "requested":
            # Its machine has not asked anybody yet, and will find the glass broken.
            after = run.having(break_glass=said, requester=actor)
            text = f"BREAK GLASS: {actor} wants {run.playbook} on {run.where} without approval: {said}"
            return Move(after, told(incident, after, "NoteAdded", at=now, actor=actor, text=text))
        key = approval_key(run.incident_id, str(run.approval_id))
        body = dict(table.get(key) or {})
        if run.status != "awaiting_approval" or body.get("status") != "pending":
            raise Conflict(
                f"{run.run_id} is {run.status.replace('_', ' ')}: no approval is waited for", status=run.status
            )
        # It was asked for in silence, or long ago: this page is the loud one.
        loud = told(
            incident,
            run,
            "ApprovalEscalated",
            at=now,
            actor=actor,
            text=f"BREAK GLASS: {actor} does not wait for the approval of {run.playbook} on {run.where}: {said}",
            data={"approval_id": run.approval_id, "requester": actor.id, "expires_at": body["expires_at"]},
        )
        after, decided, change = broken(loud, run, body, actor=actor, reason=said, now=now)
        return Move(after, change, [Put(Record(key, decided))])

    return advance(table, run.incident_id, run.run_id, decide)
