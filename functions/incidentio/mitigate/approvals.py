"""Decisions of people about a run: who may, once each, and until when.

The record holds the state machine's task token; nothing here ever shows it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from incidentio.core import lifecycle
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound
from incidentio.core.incident import Change, Incident, Status
from incidentio.core.person import Actor
from incidentio.core.ports import Put, Record, Records, Table
from incidentio.core.redaction import redact
from incidentio.mitigate.keys import approval_key, incident_of_approval
from incidentio.mitigate.run import Decision, Run
from incidentio.mitigate.runs import Move, advance, told

Vote = Literal["approve", "reject"]
_SECRET = ("token", "turn")


def approval_view(body: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """The record as people may see it: without the token, and `expired` as soon as it is."""
    shown = {name: value for name, value in body.items() if name not in _SECRET}
    if _expired(body, now):
        shown["status"] = "expired"
    return shown


def approvals_of(table: Records, incident_id: str, *, now: datetime) -> list[dict[str, Any]]:
    """Every approval of the incident, newest request first."""
    found = [approval_view(body, now=now) for _, body in table.query(f"INC#{incident_id}", "APPROVAL#")]
    return sorted(found, key=lambda a: str(a["requested_at"]), reverse=True)


def decide_approval(
    table: Table,
    approval_id: str,
    *,
    actor: Actor,
    decision: str,
    reason: str,
    now: datetime,
    bundle: Bundle,
) -> dict[str, Any]:
    """Cast one person's vote; the approval as it is afterwards (see `approval_view`).

    An approval also acknowledges the incident. One rejection is enough to reject; a destructive
    playbook is approved by two different people.

    Raises:
        NotFound: no such approval. InvalidInput: the decision is neither `approve` nor `reject`.
        Gone: it has expired. Forbidden: the requester, a machine. Conflict: already decided, the same
        person again, the playbook is no longer the one that was asked about, or the incident is over.
    """
    if decision not in ("approve", "reject"):
        raise InvalidInput(f"decision is {decision[:40]!r}: use approve or reject", valid=["approve", "reject"])
    vote: Vote = "approve" if decision == "approve" else "reject"
    incident_id = incident_of_approval(approval_id)
    key = approval_key(incident_id, approval_id)
    first = table.get(key)
    if first is None:
        raise NotFound(f"there is no approval {approval_id}")
    shown: dict[str, Any] = {}

    def decide(incident: Incident, run: Run) -> Move:
        body = table.get(key) or first
        _check(body, run, incident, actor=actor, vote=vote, now=now, bundle=bundle)
        mine = Decision(actor=actor, decision=vote, reason=redact(reason, limit=500), at=now)
        by_hand = _by_hand(body)
        run_after = run if by_hand else run.having(approvals=(*run.approvals, mine))
        votes = (mine,) if by_hand else run_after.approvals
        status = _status(votes, int(body["needed"]))
        after = {
            **body,
            "status": status,
            "decisions": [d.model_dump(mode="json") for d in votes],
            **({} if status == "pending" else {"decided_at": now.isoformat()}),
        }
        shown.clear()
        shown.update(approval_view(after, now=now))
        change = _recorded(incident, run_after, mine, status=status, body=after)
        return Move(run_after, change, [Put(Record(key, after))])

    advance(table, incident_id, str(first["run_id"]), decide)
    return shown


def _check(
    body: Mapping[str, Any], run: Run, incident: Incident, *, actor: Actor, vote: Vote, now: datetime, bundle: Bundle
) -> None:
    if body["status"] in ("approved", "rejected"):
        raise Conflict(f"approval {body['id']} is already {body['status']}", status=body["status"])
    idle = _by_hand(body) and run.status != "running"
    if body["status"] == "expired" or _expired(body, now) or run.finished or idle:
        raise Gone(f"approval {body['id']} has expired: ask for the playbook again", expired_at=body["expires_at"])
    if actor.kind != "person":
        raise Forbidden(f"{actor} is no person: approvals are given by people")
    if _by_hand(body):
        # Who does what the playbook asks for may well be who asked for the playbook.
        return
    if actor.id == run.requester.id:
        raise Forbidden(f"{actor} asked for this run: somebody else must decide")
    if any(d.actor.id == actor.id for d in run.approvals):
        raise Conflict(f"{actor} has decided already: {body['needed']} different people must approve")
    if vote == "approve":
        current = bundle.playbooks.get(run.playbook)
        if current is None or not body["definition_hash"] == run.definition_hash == current.definition_hash:
            raise Conflict(
                f"{run.playbook} was changed since this run was asked for: ask for it again",
                asked=run.definition_hash,
                current=current.definition_hash if current else None,
            )
        if not incident.is_open:
            raise Conflict(f"{incident.id} is {incident.status.value}: nothing is left to approve")


def _expired(body: Mapping[str, Any], now: datetime) -> bool:
    return body["status"] == "pending" and now >= datetime.fromisoformat(str(body["expires_at"]))


def _by_hand(body: Mapping[str, Any]) -> bool:
    """Whether people are asked to do something, and not whether something may be done."""
    return body.get("kind") == "manual"


def _status(votes: Sequence[Decision], needed: int) -> str:
    if any(d.decision == "reject" for d in votes):
        return "rejected"
    return "approved" if len({d.actor.id for d in votes}) >= needed else "pending"


def _recorded(incident: Incident, run: Run, mine: Decision, *, status: str, body: Mapping[str, Any]) -> Change:
    what = f"{run.playbook} on {run.where}"
    missing = int(body["needed"]) - sum(d["decision"] == "approve" for d in body["decisions"])
    verb = "approved" if mine.decision == "approve" else "rejected"
    if _by_hand(body):
        what, verb = f"{what}: “{body['note']}”", "done" if mine.decision == "approve" else "not done"
    more = f"; {missing} more must approve" if status == "pending" else ""
    why = f": {mine.reason}" if mine.reason else ""
    start: Incident | Change = incident
    if mine.decision == "approve" and incident.status is Status.TRIGGERED:
        start = lifecycle.acknowledge(incident, actor=mine.actor, at=mine.at, note=f"by approving {run.playbook}")
    return told(
        start,
        run,
        "ApprovalDecided",
        at=mine.at,
        actor=mine.actor,
        text=f"{what} {verb} by {mine.actor}{why}{more}",
        data={
            "approval_id": body["id"],
            "decision": mine.decision,
            "reason": mine.reason,
            "status": status,
            "missing": max(missing, 0),
        },
    )
