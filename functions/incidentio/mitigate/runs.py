"""Reading runs, and the one way to change one: together with the timeline entry that says so."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM, Actor
from incidentio.core.ports import Delete, Put, Record, Records, Refused, Stale, Table, Write
from incidentio.core.redaction import redact, redact_data
from incidentio.mitigate.breaker import counted
from incidentio.mitigate.keys import OPEN_RUNS, lock_key, open_run_key, run_key
from incidentio.mitigate.run import FINISHED, Run, RunStatus
from incidentio.mitigate.track_record import record_of

_ATTEMPTS = 12
_LONGEST = 4096
"""Bytes of one text in an entry's data."""
_PEOPLE = ("requester", "by")
"""Who it was stays readable in an entry's data, as its actor does."""


@dataclass(frozen=True)
class Move:
    """What to write: the run afterwards, the timeline's change when people should know, and other records."""

    run: Run
    change: Change | None = None
    writes: Sequence[Write] = ()


def load_run(table: Records, incident_id: str, run_id: str) -> Run:
    """Raises NotFound."""
    body = table.get(run_key(incident_id, run_id))
    if body is None:
        raise NotFound(f"there is no run {run_id}", run_id=run_id)
    return Run.model_validate(body)


def runs_of(table: Records, incident_id: str) -> list[Run]:
    """Every run of the incident, in order of id."""
    return [Run.model_validate(body) for _, body in table.query(f"INC#{incident_id}", "RUN#")]


def under_way(table: Records, playbook: str) -> list[Run]:
    """Its unfinished runs, those asked for last first."""
    open_ones = [body for _, body in table.query(OPEN_RUNS) if body["playbook"] == playbook]
    runs = [load_run(table, str(body["incident_id"]), str(body["run_id"])) for body in open_ones]
    return sorted((run for run in runs if not run.finished), key=lambda run: run.requested_at, reverse=True)


def run_record(run: Run) -> Record:
    return Record(run_key(run.incident_id, run.run_id), {"id": run.run_id, **run.model_dump(mode="json")})


def advance(
    table: Table,
    incident_id: str,
    run_id: str,
    decide: Callable[[Incident, Run], Move | None],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> Run:
    """Read run and incident, `decide`, write all of it in one transaction; again when somebody was faster.

    `decide` returning None changes nothing. It reads what else it needs itself, each time it runs, and
    puts conditions on its writes.

    Raises:
        NotFound: no such incident or run.
        Unavailable: still contended after many jittered tries.
    """
    for attempt in range(_ATTEMPTS):
        incident, run = table.incident(incident_id), load_run(table, incident_id, run_id)
        move = decide(incident, run)
        if move is None:
            return run
        after = move.run.having(rev=run.rev + 1)
        put = Put(run_record(after), when={"rev": run.rev})
        try:
            if move.change:
                table.commit(move.change, put, *move.writes)
            else:
                table.write(put, *move.writes)
        except (Stale, Refused):
            pause(random.uniform(0, min(0.02 * 2**attempt, 0.5)))  # noqa: S311 - jitter, not a secret
            continue
        return after
    raise Unavailable(f"run {run_id} is being changed by many at once: try again")


def told(
    on: Incident | Change,
    run: Run,
    type: str,
    *,
    at: datetime,
    text: str,
    actor: Actor = SYSTEM,
    data: Mapping[str, Any] | None = None,
    **updates: Any,
) -> Change:
    """One more timeline entry about `run`; playbook, version and definition hash are on every one.

    Its text and its data are redacted: entries are chained by hash and leave as events, so nothing gets out of them
    again. Parameters, values and commands may hold what somebody passed on the command line.
    """
    full = {
        "run_id": run.run_id,
        "playbook": run.playbook,
        "version": run.version,
        "definition_hash": run.definition_hash,
        "risk": run.risk.value,
        "target": run.target,
        **({"targets": list(run.targets)} if run.targets else {}),
        "dry_run": run.dry_run,
        **_told_data(data or {}),
    }
    said = redact(text, limit=2000)
    if isinstance(on, Change):
        return on.recorded(type, actor=actor, at=at, text=said, data=full, **updates)
    return recorded(on, type, actor=actor, at=at, text=said, data=full, **updates)


def _told_data(data: Mapping[str, Any]) -> dict[str, Any]:
    people = {name: data[name] for name in _PEOPLE if name in data}
    return {**redact_data(data, limit=_LONGEST), **people}


def ended(
    table: Records, run: Run, status: RunStatus, *, at: datetime, reason: str, keeps_lock: bool = False
) -> tuple[Run, list[Write]]:
    """The finished run, and the writes that take it off the open ones, release its lock and remember how it went."""
    if status not in FINISHED:
        raise ValueError(f"{status} is not an end")
    after = run.having(status=status, outcome=status, reason=redact(reason, limit=1000), finished_at=at)
    lock = [] if keeps_lock else released(table, run)
    return after, [
        Delete(open_run_key(run.run_id)),
        *lock,
        *counted(table, after, at),
        *record_of(after, at),
    ]


def released(table: Records, run: Run) -> Iterator[Write]:
    """The delete of each target's lock that is this run's."""
    for target in run.all_targets:
        key = lock_key(target)
        held = table.get(key)
        if held and held["run_id"] == run.run_id:
            yield Delete(key, when={"run_id": run.run_id})
