"""A step that a person does and confirms. The record holds the task token, people get the id of the record."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident
from incidentio.core.ports import Put, Record
from incidentio.core.redaction import redact
from incidentio.core.targets import target_name
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.keys import approval_key, new_approval_id
from incidentio.mitigate.run import Run, RunStep
from incidentio.mitigate.runs import Move, advance, told


def manual(desk: Desk, request: Request) -> Answer:
    """Store the token and tell people what to do.

    A retried task brings another token for the same step: the record takes it, nothing is told twice.
    """
    fresh_id = new_approval_id(request.incident_id)

    def decide(incident: Incident, run: Run) -> Move | None:
        step = run.step(request.step)
        if run.status != "running" or step.status not in ("pending", "asked"):
            return None
        if step.answer_id is not None:
            key = approval_key(run.incident_id, step.answer_id)
            return Move(run, writes=[Put(Record(key, {**(desk.table.get(key) or {}), "token": request.token}))])
        now = desk.clock()
        after = run.with_step(step.n, status="asked", answer_id=fresh_id)
        text = redact(str(step.given["manual"]), limit=1500)
        commands = [redact(line, limit=4096) for line in str(step.given.get("commands", "")).splitlines()]
        body: dict[str, Any] = {
            "id": fresh_id,
            "kind": "manual",
            "incident_id": run.incident_id,
            "run_id": run.run_id,
            "step": step.n,
            "playbook": run.playbook,
            "version": run.version,
            "definition_hash": run.definition_hash,
            "risk": run.risk.value,
            "target": run.target_of(step),
            "parameters": run.told_parameters,
            "requester": run.requester.id,
            "needed": 1,
            "note": text,
            "commands": commands,
            "status": "pending",
            "decisions": [],
            "requested_at": iso(now),
            "expires_at": iso(now + timedelta(seconds=request.seconds)),
            "turn": 1,
            "token": request.token,
        }
        change = told(
            incident,
            after,
            "ManualStepRequested",
            at=now,
            text=f"{run.playbook} on {target_name(run.target_of(step))} waits until {body['expires_at']} for a person "
            f"to do this: {text}",
            data={"step": step.n, "approval_id": fresh_id, "expires_at": body["expires_at"], "commands": commands},
        )
        return Move(after, change, [Put(Record(approval_key(run.incident_id, fresh_id), body))])

    advance(desk.table, request.incident_id, request.run_id, decide)
    return {"decision": "wait"}


def answered(desk: Desk, request: Request) -> Answer:
    """After the wait for a person: `go` when it is done, else `stop`, with the reason kept in the run."""
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        answer.update(decision="stop")
        step = run.step(request.step)
        if run.status != "running" or run.reason:
            return None
        if step.status == "done":
            answer.update(decision="go")
            return None
        key = approval_key(run.incident_id, str(step.answer_id))
        body = desk.table.get(key) or {}
        if body.get("status") == "approved":
            answer.update(decision="go")
            return _done(desk, incident, run, step, body)
        text = str(step.given["manual"])
        if body.get("status") == "rejected":
            by = _by(body)
            why = redact(f"{by['who']} says that this was not done: {text}{by['why']}", limit=1000)
            return Move(run.with_step(step.n, status="skipped", summary=why[:500]).having(reason=why))
        late = Record(key, {**body, "status": "expired", "decided_at": iso(desk.clock())})
        why = f"nobody confirmed in time, so it is not known whether this was done: {text}"
        return Move(run.having(reason=redact(why, limit=1000)), writes=[Put(late)] if body else [])

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def _done(desk: Desk, incident: Incident, run: Run, step: RunStep, body: Mapping[str, Any]) -> Move:
    by = _by(body)
    summary = redact(f"done by {by['who']}: {step.given['manual']}{by['why']}", limit=500)
    after = run.with_step(step.n, status="done", summary=summary)
    change: Change = told(
        incident,
        after,
        "StepApplied",
        at=desk.clock(),
        text=f"{run.playbook}: {summary}",
        data={"step": step.n, "action": step.action, "by": by["who"]},
    )
    return Move(after, change)


def _by(body: Mapping[str, Any]) -> dict[str, str]:
    """Who answered, and why, if they said."""
    last = body["decisions"][-1]
    return {"who": str(last["actor"]["id"]), "why": f" ({last['reason']})" if last["reason"] else ""}
