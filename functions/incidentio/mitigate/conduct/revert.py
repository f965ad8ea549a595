"""Giving borrowed changes back: when the incident is over, or at the latest when the loan ends."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from incidentio.core.errors import NotFound
from incidentio.core.events import DomainEvent
from incidentio.core.incident import Incident
from incidentio.core.ports import Put
from incidentio.mitigate.aftermath import left_of, told_of
from incidentio.mitigate.conduct.decided import withdraw_waiting
from incidentio.mitigate.conduct.score import Score, revert_name
from incidentio.mitigate.leases import failed_lease, lease_record, open_leases
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, load_run, runs_of, told
from incidentio.mitigate.surviving import surviving

MOST_DEATHS = 3
"""Restores in a row whose execution may die before people are told and the next try waits."""

_DIED = f"the last {MOST_DEATHS} tries did not come to an end"


def incident_over(score: Score, event: DomainEvent) -> None:
    """IncidentResolved, IncidentCancelled, IncidentMerged: give back what was borrowed for it.

    A merged incident is over when the one it was merged into is.
    """
    incident = score.table.incident(event.incident_id)
    if incident.is_open:
        return
    withdraw_waiting(score, event.incident_id)
    if surviving(score.table, incident).is_open:
        return
    for run in runs_of(score.table, event.incident_id):
        if run.lease and run.lease.status == "open":
            start_revert(score, run)


def loans(score: Score) -> list[Callable[[], None]]:
    """A look at every change that is still borrowed."""
    return [partial(_look, score, body) for body in open_leases(score.table)]


def _look(score: Score, body: Mapping[str, Any]) -> None:
    """Whether the loan has ended, its incident is over, or its restore died or failed."""
    incident_id = str(body["incident_id"])
    if body["status"] != "open" or _ended(body, score.clock()) or not _incident_open(score, incident_id):
        revert(score, load_run(score.table, incident_id, str(body["run_id"])))


def revert(score: Score, run: Run) -> None:
    """Start the restore of a loan that is due, unless one is at work or it is too early to try again."""
    lease = run.lease
    if lease is None or not lease.is_open:
        return
    if lease.status == "restoring":
        due = score.executions.status(run.playbook, revert_name(run, lease.attempts)) != "RUNNING"
        if due and lease.attempts % MOST_DEATHS == 0:
            _cannot(score, run, _DIED)
            return
    else:
        due = lease.status == "open" or score.clock() >= lease.at_latest
    if due:
        start_revert(score, run)


def start_revert(score: Score, run: Run) -> None:
    """Start the next restoring execution; the same number is the same execution."""
    if run.lease is None:
        return
    given = {"run_id": run.run_id, "incident_id": run.incident_id, "mode": "revert"}
    number = run.lease.attempts + 1
    try:
        started = score.executions.start(run.playbook, revert_name(run, number), given)
        if not started and score.executions.status(run.playbook, revert_name(run, number)) != "RUNNING":
            # It died before it could say that it began: count it, so that the next sweep takes the next number.
            counted = _set_lease(score, run, attempts=number)
            if number % MOST_DEATHS == 0:
                _cannot(score, counted, _DIED)
    except NotFound as error:
        _cannot(score, run, error.message)


def _ended(body: Mapping[str, Any], now: datetime) -> bool:
    return now >= datetime.fromisoformat(str(body["at_latest"]))


def _incident_open(score: Score, incident_id: str) -> bool:
    try:
        return surviving(score.table, score.table.incident(incident_id)).is_open
    except NotFound:
        return False


def _set_lease(score: Score, run: Run, **updates: Any) -> Run:
    def decide(_incident: Incident, run: Run) -> Move | None:
        if run.lease is None or not run.lease.is_open:
            return None
        after = run.having(lease=run.lease.model_copy(update=updates))
        return Move(after, writes=[Put(lease_record(after))])

    return advance(score.table, run.incident_id, run.run_id, decide)


def _cannot(score: Score, run: Run, why: str) -> None:
    """No machine can give it back, for now at least: people are told, once, with the commands."""

    def decide(incident: Incident, run: Run) -> Move | None:
        if run.lease is None or run.lease.status not in ("open", "restoring"):
            return None  # told already; or the last try came to its end after all
        now = score.clock()
        after = run.having(lease=failed_lease(run.lease, now))
        what = f"what {run.playbook} borrowed on {run.where} cannot be given back: {why}"
        text, data = told_of(after.having(reason=why), left_of(run), headline=what)
        change = told(incident, after, "RollbackFailed", at=now, text=text, data=data)
        return Move(after, change, [Put(lease_record(after))])

    advance(score.table, run.incident_id, run.run_id, decide)
