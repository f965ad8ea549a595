"""The circuit breaker of a playbook: after some failures in a row it starts only when a person asks.

It is a switch like those of hands-off (`breaker#NAME`), listed and reset with them. A run that was undone, or could not
be, is a failure; one that succeeds begins the count anew. Refused runs, dry runs and drills say nothing about it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.ports import ABSENT, Condition, Put, Record, Records, Write
from incidentio.core.signal import Kind
from incidentio.mitigate.keys import switch_key
from incidentio.mitigate.run import Run

PREFIX = "breaker#"
TRIPS_AT = 3
_FAILED = frozenset({"rolled_back", "rollback_failed"})


def scope_of(playbook: str) -> str:
    return f"{PREFIX}{playbook}"


def counted(table: Records, run: Run, at: datetime) -> Iterator[Put]:
    """What the end of `run` does to the breaker of its playbook, if anything."""
    if run.kind is not Kind.REAL or run.dry_run or run.status not in (*_FAILED, "succeeded"):
        return
    key = switch_key(scope_of(run.playbook))
    before = table.get(key)
    failures = int((before or {}).get("failures", 0))
    when: Condition = ABSENT if before is None else {"rev": before.get("rev")}
    if run.status in _FAILED:
        yield Put(Record(key, _body(run, before, failures + 1, at)), when=when)
    elif run.status not in _FAILED and failures and not (before or {}).get("on"):
        yield Put(Record(key, _body(run, before, 0, at)), when=when)


def open_since(table: Records, playbook: str) -> str | None:
    """Why the playbook does not start by itself, or None."""
    body = table.get(switch_key(scope_of(playbook)))
    if not body or not body["on"]:
        return None
    return f"its circuit breaker is open: {body['reason']}. A person may still start it"


def tripped(writes: Sequence[Write]) -> str | None:
    """Why a breaker opens with these writes, or None."""
    for write in writes:
        if isinstance(write, Put) and str(write.record.body.get("scope", "")).startswith(PREFIX):
            body = write.record.body
            if body["on"] and body["failures"] == TRIPS_AT:
                return str(body["reason"])
    return None


def _body(run: Run, before: Mapping[str, Any] | None, failures: int, at: datetime) -> dict[str, Any]:
    on = failures >= TRIPS_AT or bool((before or {}).get("on"))
    reason = f"{failures} runs in a row were undone, the last was {run.run_id} of {run.incident_id}" if failures else ""
    return {
        "scope": scope_of(run.playbook),
        "on": on,
        "by": "system",
        "reason": reason,
        "at": iso(at),
        "failures": failures,
        "rev": int((before or {}).get("rev", 0)) + 1,
    }
