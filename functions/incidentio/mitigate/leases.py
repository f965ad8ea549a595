"""Borrowed changes: given back when the incident is over, or when they have been out for too long."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.errors import Conflict
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.person import Actor
from incidentio.core.ports import Delete, Put, Record, Records, Table
from incidentio.core.redaction import redact
from incidentio.mitigate.keys import LEASES, incident_of_run, lease_key
from incidentio.mitigate.run import Lease, Run
from incidentio.mitigate.runs import Move, advance, released, told

_FIRST_RETRY = timedelta(minutes=5)
_LAST_RETRY = timedelta(hours=4)
LONGEST_HOLD = timedelta(hours=4)
"""What is held of a run whose playbook borrows nothing is given back after this."""


def failed_lease(lease: Lease, now: datetime) -> Lease:
    """The lease whose restore failed: tried again, ever more rarely. `at_latest` is then the time of the next try."""
    wait = min(_FIRST_RETRY * 3 ** min(max(lease.attempts - 1, 0), 6), _LAST_RETRY)
    return lease.model_copy(update={"status": "failed", "at_latest": now + wait})


def lease_record(run: Run) -> Record:
    """What the sweep reads of an open lease."""
    if run.lease is None:
        raise ValueError(f"{run.run_id} borrowed nothing")
    body = {
        "run_id": run.run_id,
        "incident_id": run.incident_id,
        "playbook": run.playbook,
        "target": run.target,
        "at_latest": iso(run.lease.at_latest),
        "status": run.lease.status,
        "attempts": run.lease.attempts,
    }
    return Record(lease_key(run.run_id), body)


def open_leases(table: Records) -> Iterator[dict[str, Any]]:
    """Every change that is still borrowed, of all incidents."""
    yield from (dict(body) for _, body in table.query(LEASES))


def restore_now(table: Table, run_id: str, actor: Actor, *, now: datetime) -> Run:
    """Give a borrowed change back at the next sweep instead of later. Asking twice is asking once.

    Raises:
        NotFound: no such run. Conflict: it has nothing borrowed.
    """

    def decide(incident: Incident, run: Run) -> Move | None:
        lease = _borrowed(run)
        if lease.status == "restoring" or lease.at_latest <= now:
            return None
        lease = lease.model_copy(update={"at_latest": now})
        after = run.having(lease=lease)
        change = told(
            incident,
            run,
            "NoteAdded",
            at=now,
            actor=actor,
            text=f"{actor} asked to give back what {run.playbook} borrowed on {run.where} now",
        )
        return Move(after, change, [Put(lease_record(after))])

    return advance(table, incident_of_run(run_id), run_id, decide)


def given_back_by_hand(table: Table, run_id: str, actor: Actor, *, how: str, now: datetime) -> Run:
    """End a loan that could not be given back, on a person's word and without another try: what AWS has now stays.

    The way out for a target that is gone for good, or a playbook that is no longer deployed.

    Raises:
        NotFound: no such run. Conflict: it has nothing borrowed, or no restore of it has failed yet.
    """

    def decide(incident: Incident, run: Run) -> Move:
        lease = _borrowed(run)
        if lease.status != "failed":
            raise Conflict(
                f"what {run_id} borrowed is {lease.status}: let it be given back first, without by_hand",
                status=lease.status,
            )
        after = run.having(lease=lease.model_copy(update={"status": "by_hand"}))
        said = redact(how, limit=500)
        change = told(
            incident,
            run,
            "LeaseRestored",
            at=now,
            actor=actor,
            text=f"{actor} says that what {run.playbook} borrowed on {run.where} is settled: {said}",
            data={"by_hand": said},
            open_leases=max(0, incident.open_leases - 1),
        )
        return Move(after, change, [Delete(lease_key(run_id)), *released(table, run)])

    return advance(table, incident_of_run(run_id), run_id, decide)


def _borrowed(run: Run) -> Lease:
    if run.lease is None or not run.lease.is_open:
        raise Conflict(f"{run.run_id} has nothing borrowed", status=run.status)
    return run.lease
