"""Runs whose execution ended without finishing them: stopped by hand, out of history, or lost.

Recovery starts the same machine in mode `recover`, which undoes from the stored snapshots. Each
attempt has its number in its name, so the event and the sweep together still start one.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from incidentio.core.errors import NotFound
from incidentio.core.incident import Incident
from incidentio.mitigate.aftermath import left_of, told_of
from incidentio.mitigate.breaker import tripped
from incidentio.mitigate.conduct.decided import answer_if_decided
from incidentio.mitigate.conduct.score import Score, recovery_name
from incidentio.mitigate.conduct.start import refuse, start_run
from incidentio.mitigate.keys import OPEN_RUNS
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, ended, load_run, told

MOST_RECOVERIES = 5


def open_runs(score: Score) -> list[Callable[[], None]]:
    """A look at every run that is not finished."""
    return [partial(_look, score, body) for _, body in score.table.query(OPEN_RUNS)]


def _look(score: Score, body: Mapping[str, Any]) -> None:
    run = load_run(score.table, str(body["incident_id"]), str(body["run_id"]))
    if not run.finished:
        look_after(score, run)


def look_after(score: Score, run: Run) -> None:
    """Start it, answer it, leave it alone, or recover it, as its executions say."""
    number = run.recoveries
    status = score.executions.status(run.playbook, recovery_name(run, number))
    if status == "RUNNING":
        if run.waits_for:
            answer_if_decided(score, run)
        return
    if status is None and run.status == "requested":
        start_run(score, run)
        return
    # Between the two reads the execution may have finished its run.
    current = load_run(score.table, run.incident_id, run.run_id)
    if not current.finished:
        recover(score, current)


def recover(score: Score, run: Run) -> None:
    """Start the next recovery that is not already under way; after too many, leave it to people."""
    given = {"run_id": run.run_id, "incident_id": run.incident_id, "mode": "recover"}
    for number in range(run.recoveries + 1, MOST_RECOVERIES + 1):
        name = recovery_name(run, number)
        try:
            if score.executions.start(run.playbook, name, given):
                return
        except NotFound as error:
            _give_up(score, run, error.message)
            return
        if score.executions.status(run.playbook, name) == "RUNNING":
            return
    _give_up(score, run, f"{MOST_RECOVERIES} recoveries did not come to an end")


def _give_up(score: Score, run: Run, why: str) -> None:
    """Nothing automatic is left to try: the lock goes, and a person gets the commands."""
    if not run.touched:
        refuse(score, run, why)
        return
    from incidentio.mitigate.control.finish import circuit  # noqa: PLC0415 - few runs are given up

    def decide(incident: Incident, run: Run) -> Move | None:
        if run.finished:
            return None
        now = score.clock()
        after, writes = ended(score.table, run, "rollback_failed", at=now, reason=why)
        text, data = told_of(after, left_of(run), headline=f"{run.playbook} on {run.where} was left half done: {why}")
        change = told(incident, after, "RollbackFailed", at=now, text=text, data=data)
        return Move(after, circuit(change, after, writes, now) if tripped(writes) else change, writes)

    advance(score.table, run.incident_id, run.run_id, decide)
