"""One step: what to call, the snapshot kept once, and what came of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from incidentio.core.incident import Incident
from incidentio.core.ports import ABSENT, Put, Record
from incidentio.core.redaction import redact
from incidentio.mitigate.control.conditions import unmet
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.gate import refusal
from incidentio.mitigate.keys import snapshot_key
from incidentio.mitigate.run import Run, RunStep
from incidentio.mitigate.runs import Move, advance, told

if TYPE_CHECKING:
    from incidentio.core.playbook import MaxTargets

_PERCENT_FROM = 10
"""A share says nothing about a handful: percent counts from this many targets up."""
_FACTS = 40


def begin(desk: Desk, request: Request) -> Answer:
    """`go` with the step's `call`: resolved parameters and target, as pinned when the run was asked for.

    `skip` when its conditions do not hold: decided once. `stop` when a branch beside it has failed.
    """
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        step = run.step(request.step)
        answer.clear()
        answer.update(decision="stop", call=call_of(run, step))
        if run.status != "running" or run.reason:
            return None
        if step.status == "skipped":
            answer.update(decision="skip")
            return None
        answer.update(decision="go")
        if step.status != "pending" or (why := unmet(run, step, incident)) is None:
            return None
        answer.update(decision="skip")
        return Move(run.with_step(step.n, status="skipped", summary=why))

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def call_of(run: Run, step: RunStep) -> dict[str, Any]:
    """What an action function needs to know of a step."""
    return {
        "step": step.n,
        "action": step.action,
        "with": step.given,
        "target": run.target_of(step),
        "only_allowed": run.only_allowed,
    }


def keep(desk: Desk, request: Request) -> Answer:
    """Store the step's snapshot, the first one only; the last look at limits and flags before the change.

    `go` with the stored snapshot; `refuse` when nothing was changed yet and nothing may be; else `stop`.
    """
    answer: Answer = {}
    seen = request.seen or {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        answer.update(decision="stop", snapshot=None)
        if run.status != "running" or run.reason:
            return None
        key = snapshot_key(run.run_id, request.step)
        stored = desk.table.get(key)
        why = _may_not(desk, incident, run, seen)
        if why:
            if run.touched:
                return Move(run.having(reason=redact(why, limit=1000)))
            answer.update(decision="refuse")
            return refusal(desk, incident, run, why)
        if stored is not None and run.step(request.step).status != "pending":
            answer.update(decision="go", snapshot=stored["snapshot"])
            return None
        snapshot = seen.get("snapshot")
        answer.update(decision="go", snapshot=snapshot)
        after = run.with_step(request.step, status="kept", **_values(snapshot))
        body = {"run_id": run.run_id, "step": request.step, "snapshot": snapshot, "at": desk.clock().isoformat()}
        return Move(after, writes=[Put(Record(key, body), when=ABSENT)])

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def record(desk: Desk, request: Request) -> Answer:
    """After each confirmation: `go` (applied and seen), `again` (not seen yet) or `stop`."""
    answer: Answer = {}
    applied, confirmed = request.applied or {}, request.confirmed or {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        step = run.step(request.step)
        if run.status != "running":
            answer.update(decision="stop")
            return None
        if step.status == "applied":
            answer.update(decision="go")
            return None
        why = _not_applied(desk, incident, run, request)
        if why is not None:
            answer.update(decision="stop")
            refused = applied.get("applied") is False and applied.get("certain") is True
            after = run.with_step(request.step, refused=True) if refused else run
            return Move(after.having(reason=redact(why, limit=1000)))
        if not confirmed.get("verified"):
            answer.update(decision="again")
            return None
        answer.update(decision="go")
        facts = [redact(str(fact), limit=300) for fact in applied.get("facts") or ()][:_FACTS]
        summary = redact(str(applied.get("summary") or step.action), limit=1500 if facts else 500)
        values = {"before": applied.get("before", step.before), "after": applied.get("after", step.after)}
        after = run.with_step(request.step, status="applied", summary=summary, **values)
        change = told(
            incident,
            after,
            "StepApplied",
            at=desk.clock(),
            text=f"{run.playbook}: {summary}",
            data={"step": request.step, "action": step.action, **values, **({"facts": facts} if facts else {})},
        )
        return Move(after, change)

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def _may_not(desk: Desk, incident: Incident, run: Run, seen: Mapping[str, Any]) -> str | None:
    definition = desk.playbook(run.playbook)
    if definition is None:
        return f"{run.playbook} is no longer a playbook of this deployment"
    if seen.get("error"):
        return str(seen.get("summary") or "the target cannot be read")
    checks: tuple[Callable[[], str | None], ...] = (
        lambda: _too_wide(seen, definition.targets.max),
        lambda: desk.over(incident),
        lambda: desk.stopped(incident, run),
        lambda: desk.alarm_stops(run.playbook),
    )
    return next((why for check in checks if (why := check())), None)


def _too_wide(seen: Mapping[str, Any], limit: "MaxTargets") -> str | None:
    targets, of = int(seen.get("targets") or 0), int(seen.get("of") or 0)
    if targets > limit.count:
        return f"it would touch {targets} targets: at most {limit.count}"
    if of >= _PERCENT_FROM and targets * 100 > limit.percent * of:
        return f"it would touch {targets} of {of} targets: at most {limit.percent} %"
    return None


def _not_applied(desk: Desk, incident: Incident, run: Run, request: Request) -> str | None:
    applied, confirmed = request.applied or {}, request.confirmed or {}
    if not applied.get("applied"):
        return str(applied.get("summary") or f"step {request.step} was not applied")
    if confirmed.get("verified"):
        return None
    if confirmed.get("error") or request.last:
        return f"step {request.step} was not confirmed: {confirmed.get('summary') or 'no answer'}"
    return desk.stopped(incident, run) or desk.alarm_stops(run.playbook)


def _values(snapshot: Any) -> dict[str, Any]:
    known = snapshot if isinstance(snapshot, Mapping) else {}
    return {"before": known.get("before"), "after": known.get("after")}
