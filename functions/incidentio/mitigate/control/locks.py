"""One run per target at a time. The lock also makes signals about the target join the run's incident."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.playbook import Playbook, Risk
from incidentio.core.ports import ABSENT, Condition, Put, Record
from incidentio.core.targets import target_name
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.gate import rate_record, refusal, too_often
from incidentio.mitigate.keys import lock_key
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, load_run, told

_MARGIN = timedelta(minutes=15)


def lock(desk: Desk, request: Request) -> Answer:
    """`go` with the target ours, or `refuse`. From here on the run counts as started.

    What only looks claims nothing.
    """
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        if run.status == "running":
            answer.update(decision="go")
            return None
        definition = desk.playbook(run.playbook)
        if run.finished or run.status == "undoing" or definition is None:
            answer.update(decision="refuse")
            return None
        now = desk.clock()
        looks = run.risk is Risk.READ_ONLY  # beside whoever holds the target: that is when one wants to look
        held = None if looks else desk.table.get(lock_key(run.target))
        when, busy = _claim(desk, run, held, now)
        busy = busy or too_often(desk, definition, run, now) or ""
        if busy:
            answer.update(decision="refuse", reason=busy)
            return refusal(desk, incident, run, busy)
        answer.update(decision="go")
        after = run.having(status="running", started_at=now)
        change = told(
            incident,
            after,
            "PlaybookStarted",
            at=now,
            text=f"{run.playbook} {run.version} started on {target_name(run.target)}",
            data={"parameters": run.parameters},
        )
        until = now + _longest(definition)
        claim = [] if looks else [Put(lock_record(after, now, until), when=when)]
        return Move(after, change, [*claim, Put(rate_record(run, definition, now, until))])

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def lock_record(run: Run, taken_at: datetime, until: datetime) -> Record:
    """The table never forgets it by itself: after `expires_at` it may be taken over, once its owner is done."""
    body = {
        "run_id": run.run_id,
        "incident_id": run.incident_id,
        "playbook": run.playbook,
        "taken_at": iso(taken_at),
        "expires_at": iso(until),
    }
    return Record(lock_key(run.target), body)


def _claim(desk: Desk, run: Run, held: Mapping[str, Any] | None, now: datetime) -> tuple[Condition, str]:
    """The condition under which the lock may be written, and why not when it may not."""
    if held is None:
        return ABSENT, ""
    owner = str(held["run_id"])
    if owner == run.run_id or (_past(held, now) and _over(desk, held)):
        return {"run_id": owner}, ""
    return None, (
        f"{target_name(run.target)} is in the hands of {held.get('playbook', 'a playbook')} ({owner}, "
        f"{held['incident_id']}) until it is done or gives back what it borrowed"
    )


def _past(held: Mapping[str, Any], now: datetime) -> bool:
    return now > datetime.fromisoformat(str(held["expires_at"]))


def _over(desk: Desk, held: Mapping[str, Any]) -> bool:
    try:
        owner = load_run(desk.table, str(held["incident_id"]), str(held["run_id"]))
    except NotFound:
        return True
    return owner.finished and not (owner.lease and owner.lease.is_open)


def _longest(definition: Playbook) -> timedelta:
    """How long a run may take before its lock counts as forgotten: generous, since ending it is another matter."""
    steps = sum((step.timeout for step in definition.steps), timedelta())
    watch = definition.verify.within if definition.verify else timedelta()
    return 4 * steps + watch + _MARGIN
