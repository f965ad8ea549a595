"""Asking people: the record holds the task token, people get the id of the record."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from incidentio.core.duration import format_duration
from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.ports import Put, Record
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.glass import broken
from incidentio.mitigate.keys import approval_key, new_approval_id
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, told

if TYPE_CHECKING:
    from incidentio.core.playbook import Playbook


def ask(desk: Desk, request: Request) -> Answer:
    """Store the token and tell people; on the second turn, tell them once more and wait as long again.

    A retried task brings another token for the same question: the record takes it, nothing is told twice.
    """
    fresh_id = new_approval_id(request.incident_id)

    def decide(incident: Incident, run: Run) -> Move | None:
        definition = desk.playbook(run.playbook)
        if definition is None:
            raise NotFound(f"there is no playbook {run.playbook}")
        if run.finished:
            return None
        now = desk.clock()
        if run.approval_id is None:
            return _asked(incident, run.having(approval_id=fresh_id), definition, request, now)
        key = approval_key(run.incident_id, run.approval_id)
        body = {**(desk.table.get(key) or {}), "token": request.token}
        change = None
        if request.turn > int(body["turn"]) and body["status"] == "pending":
            expires = now + definition.approval.timeout
            body |= {"turn": request.turn, "expires_at": iso(expires)}
            change = told(
                incident,
                run,
                "ApprovalEscalated",
                at=now,
                text=f"nobody decided about {_question(run, definition)}; it now waits until {iso(expires)}",
                data=_for_people(body),
            )
        return Move(run, change, [Put(Record(key, body))])

    run = advance(desk.table, request.incident_id, request.run_id, decide)
    return {"decision": "wait", "approval_id": run.approval_id}


def _asked(incident: Incident, run: Run, definition: "Playbook", request: Request, now: datetime) -> Move:
    expires = now + definition.approval.timeout
    body: dict[str, Any] = {
        "id": run.approval_id,
        "incident_id": run.incident_id,
        "run_id": run.run_id,
        "playbook": run.playbook,
        "version": run.version,
        "definition_hash": run.definition_hash,
        "risk": run.risk.value,
        "target": run.target,
        "targets": list(run.all_targets),
        "parameters": run.told_parameters,
        "requester": run.requester.id,
        "needed": run.approvals_needed,
        "note": definition.approval.note,
        "status": "pending",
        "decisions": [],
        "requested_at": iso(now),
        "expires_at": iso(expires),
        "turn": request.turn,
        "token": request.token,
    }
    change = told(
        incident,
        run,
        "ApprovalRequested",
        at=now,
        text=f"approval needed by {expires:%H:%M:%S} UTC for {_question(run, definition)}",
        data=_for_people(body),
    )
    asked = run.having(status="awaiting_approval")
    if run.break_glass:
        asked, body, change = broken(change, asked, body, actor=run.requester, reason=run.break_glass, now=now)
    return Move(asked, change, [Put(Record(approval_key(run.incident_id, str(run.approval_id)), body))])


def _question(run: Run, definition: "Playbook") -> str:
    people = "" if run.approvals_needed == 1 else f", {run.approvals_needed} different people"
    note = f" — {definition.approval.note}" if definition.approval.note else ""
    asks = f" ({run.given})" if run.given else ""
    terms = f"[{run.risk.value}{people}, within {format_duration(definition.approval.timeout)}]"
    return f"{run.playbook} {run.version} on {run.where}{asks} {terms}{note}"


def _for_people(body: dict[str, Any]) -> dict[str, Any]:
    wanted = ("requester", "needed", "note", "expires_at", "parameters")
    return {"approval_id": body["id"], **{name: body[name] for name in wanted}}
