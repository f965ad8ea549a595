"""What the conductor does about each thing that happens, by name."""

from collections.abc import Callable, Mapping
from typing import Any

from incidentio.aws.observability import log, told
from incidentio.core.errors import IncidentioError, NotFound, Unavailable
from incidentio.core.events import DomainEvent
from incidentio.core.ids import iso
from incidentio.core.ports import Key, Put, Record
from incidentio.mitigate.conduct.decided import answer_decided
from incidentio.mitigate.conduct.recover import look_after, open_runs
from incidentio.mitigate.conduct.rehearsals import dry_run_over, rehearsals
from incidentio.mitigate.conduct.revert import incident_over, loans, revert
from incidentio.mitigate.conduct.score import Score, run_id_of
from incidentio.mitigate.conduct.start import start_by_itself, start_requested
from incidentio.mitigate.keys import incident_of_run
from incidentio.mitigate.runs import load_run

ON_EVENT: Mapping[str, Callable[[Score, DomainEvent], None]] = {
    "ApprovalDecided": answer_decided,
    "IncidentCancelled": incident_over,
    "IncidentMerged": incident_over,
    "IncidentResolved": incident_over,
    "IncidentTriaged": start_by_itself,
    "PlaybookPlanned": dry_run_over,
    "PlaybookRefused": dry_run_over,
    "PlaybookRequested": start_requested,
    "QuietEnded": start_by_itself,
}
_ENDED_BADLY = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})


def conduct(score: Score, event: Mapping[str, Any], *, machines: str) -> str:
    """Deal with one invocation; what it was, for the log.

    Args:
        event: a domain event, a "Step Functions Execution Status Change", or `{"sweep": "mitigate"}`.
        machines: the ARN prefix of our own state machines.
    """
    if event.get("sweep") == "mitigate":
        sweep(score)
        return "sweep"
    detail = event.get("detail", {})
    if event.get("source") == "aws.states":
        ours = str(detail.get("stateMachineArn", "")).startswith(machines)
        if ours and detail.get("status") in _ENDED_BADLY:
            name = str(detail["name"])
            return f"execution {name} {detail['status']}" if execution_ended(score, name) else "no run of ours"
        return "not ours"
    happened = DomainEvent.model_validate(detail)
    react = ON_EVENT.get(happened.type)
    if react is None:
        return f"nothing to do about {happened.type}"
    react(score, happened)
    return f"{happened.type} of {happened.incident_id}"


def execution_ended(score: Score, name: str) -> bool:
    """An execution failed, timed out or was stopped. A run that is finished needs nothing; a rollback ends so.

    False: it is no run's, since somebody started it by hand under a name of their own.
    """
    run_id = run_id_of(name)
    try:
        run = load_run(score.table, incident_of_run(run_id), run_id)
    except NotFound:
        return False
    if not run.finished:
        look_after(score, run)
    elif run.lease and run.lease.status == "restoring":
        revert(score, run)
    return True


def sweep(score: Score) -> None:
    """Every minute: whatever an event was lost for, and whatever has a date.

    One record in trouble does not keep the others waiting: the first error is raised after all were looked at.
    """
    work = [*open_runs(score), *loans(score), *rehearsals(score)]
    errors = [error for act in work if (error := _failure(act))]
    score.table.write(Put(Record(Key("BEAT", "mitigate"), {"at": iso(score.clock())})))
    if errors:
        raise errors[0]


def _failure(act: Callable[[], None]) -> IncidentioError | None:
    try:
        act()
    except IncidentioError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a record that cannot be read: the others are looked at all the same
        log("not looked after", level="ERROR", **told(error))
        return Unavailable(f"the sweep came upon a record that it cannot handle: {type(error).__name__}")
    return None
