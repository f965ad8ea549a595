"""One run per target at a time. The lock also makes signals about the target join the run's incident."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.ports import ABSENT, Condition, Put, Record
from incidentio.core.risk import Risk
from incidentio.core.targets import target_name
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.gate import rate_records, refusal, too_often
from incidentio.mitigate.keys import lock_key
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, load_run, told

if TYPE_CHECKING:
    from incidentio.core.playbook import Playbook

_MARGIN = timedelta(minutes=15)


def lock(desk: Desk, request: Request) -> Answer:
    """`go` with every target ours, or `refuse`. From here on the run counts as started.

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
        claims = [] if looks else [(target, *_claim(desk, run, target, now)) for target in run.all_targets]
        busy = next((why for _, _, why in claims if why), "") or too_often(desk, definition, run, now) or ""
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
            text=f"{run.playbook} {run.version} started on {run.where}",
            data={"parameters": run.told_parameters},
        )
        until = now + _longest(definition)
        # All targets or none, in one transaction: so two runs never hold a part each and wait for the other.
        locked = [Put(lock_record(after, target, now, until), when=when) for target, when, _ in claims]
        started = [Put(each) for each in rate_records(run, definition, now, until)]
        return Move(after, change, [*locked, *started])

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def lock_record(run: Run, target: str, taken_at: datetime, until: datetime) -> Record:
    """The table never forgets it by itself: after `expires_at` it may be taken over, once its owner is done."""
    body = {
        "run_id": run.run_id,
        "incident_id": run.incident_id,
        "playbook": run.playbook,
        "taken_at": iso(taken_at),
        "expires_at": iso(until),
    }
    return Record(lock_key(target), body)


def _claim(desk: Desk, run: Run, target: str, now: datetime) -> tuple[Condition, str]:
    """The condition under which the target's lock may be written, and why not when it may not."""
    held = desk.table.get(lock_key(target))
    if held is None:
        return ABSENT, ""
    owner = str(held["run_id"])
    if owner == run.run_id or (_past(held, now) and _over(desk, held)):
        return {"run_id": owner}, ""
    return None, (
        f"{target_name(target)} is in the hands of {held.get('playbook', 'a playbook')} ({owner}, "
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


def _longest(definition: "Playbook") -> timedelta:
    """How long a run may take before its lock counts as forgotten: generous, since ending it is another matter."""
    from incidentio.core.steps import Manual, Wait  # noqa: PLC0415 - comes with the first playbook that is read

    steps = sum((step.timeout for step in definition.steps), timedelta())
    idle = sum((leaf.step.wait for leaf in definition.leaves if isinstance(leaf.step, Wait)), timedelta())
    people = sum((leaf.step.timeout for leaf in definition.leaves if isinstance(leaf.step, Manual)), timedelta())
    watch = definition.verify.within if definition.verify else timedelta()
    return 4 * steps + idle + people + watch + _MARGIN
