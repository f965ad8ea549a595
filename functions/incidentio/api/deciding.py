"""Casting a vote on an approval, and ending a loan, once per `Idempotency-Key`."""

from datetime import timedelta
from typing import Any

from incidentio.api.calls import Api, Call, reused
from incidentio.core.ports import Key, Put, Record
from incidentio.mitigate.approvals import approvals_of, decide_approval
from incidentio.mitigate.keys import incident_of_approval, incident_of_run
from incidentio.mitigate.leases import given_back_by_hand, restore_now
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import load_run

_KEPT = timedelta(hours=24)


def decide(api: Api, call: Call, approval_id: str, *, decision: str, reason: str) -> dict[str, Any]:
    """The approval as people may see it, afterwards.

    A vote is cast once: casting it again is a Conflict, unless it is the same request sent again
    because its answer was lost, which its key tells.

    Raises:
        NotFound, Forbidden, Conflict, Gone, InvalidInput: see `decide_approval`.
    """
    if call.key and _done_before(api, call.key):
        found = approvals_of(api.table, incident_of_approval(approval_id), now=call.at)
        return next(approval for approval in found if approval["id"] == approval_id)
    decided = decide_approval(
        api.table, approval_id, actor=call.actor, decision=decision, reason=reason, now=call.at, bundle=api.bundle
    )
    _remember(api, call)
    return decided


def restore(api: Api, call: Call, run_id: str, *, by_hand: str) -> Run:
    """The run, which gives back what it borrowed; or no longer owes it, when a person says what was done instead.

    Raises:
        NotFound, Conflict: see `restore_now` and `given_back_by_hand`.
    """
    if call.key and _done_before(api, call.key):
        return load_run(api.table, incident_of_run(run_id), run_id)
    if by_hand:
        run = given_back_by_hand(api.table, run_id, call.actor, how=by_hand, now=call.at)
    else:
        run = restore_now(api.table, run_id, call.actor, now=call.at)
    _remember(api, call)
    return run


def _remember(api: Api, call: Call) -> None:
    if call.key:
        api.table.write(Put(Record(_record_key(call.key), {"key": call.key}, expires_at=call.at + _KEPT)))


def _done_before(api: Api, key: str) -> bool:
    record = api.table.get(_record_key(key))
    if record and record["key"] != key:
        raise reused()
    return record is not None


def _record_key(key: str) -> Key:
    return Key(f"IDEMP#{key.partition('.')[0]}", "VOTE")
