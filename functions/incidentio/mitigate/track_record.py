"""How often a playbook succeeded, and when it was last rehearsed. Written with the end of each run, in its transaction.

`TRACK` / `<playbook>#<version>#<hash>` counts how runs for real incidents ended. `HISTORY#<playbook>` has a record of
each run, rehearsals too, for `KEPT`. `REHEARSED` / `<playbook>#<service>` is the last time it was seen to work there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from incidentio.core.bundle import Bundle
from incidentio.core.ids import iso
from incidentio.core.ports import Key, Put, Record, Records, Update, Write
from incidentio.core.risk import Risk
from incidentio.core.signal import Kind
from incidentio.mitigate.run import Run

if TYPE_CHECKING:
    from incidentio.core.playbook import Playbook

KEPT = timedelta(days=400)
FRESH_FOR = timedelta(days=90)
TRACK = "TRACK"
REHEARSED = "REHEARSED"

_GOOD = "succeeded"
_ACTED = (_GOOD, "rolled_back", "rollback_failed")
_WORKS = frozenset({_GOOD, "planned"})


@dataclass(frozen=True)
class Tally:
    """How the runs of one version ended. Only those that acted count for the rate: a refused one changed nothing."""

    playbook: str
    version: str
    definition_hash: str
    risk: str
    succeeded: int
    rolled_back: int
    rollback_failed: int
    refused: int
    last_at: datetime

    @property
    def acted(self) -> int:
        return self.succeeded + self.rolled_back + self.rollback_failed


@dataclass(frozen=True)
class Rehearsed:
    """When a playbook was last seen to work for a service: a rehearsal, or a run that succeeded."""

    playbook: str
    service: str
    target: str
    target_type: str
    definition_hash: str
    version: str
    run_id: str
    at: datetime
    dry_run: bool = False
    """It would have worked, but changed nothing. Records from before this was kept do not say."""


def record_of(run: Run, at: datetime) -> Iterator[Write]:
    """What is remembered of a finished run, beside its own record."""
    key = Key(_history(run.playbook), f"{iso(at)}#{run.run_id}")
    yield Put(Record(key, in_history(run, at), expires_at=at + KEPT))
    if run.kind is Kind.REAL and not run.dry_run:
        key = Key(TRACK, f"{run.playbook}#{run.version}#{run.definition_hash}")
        named = ("playbook", "version", "definition_hash")
        sets = {**{name: getattr(run, name) for name in named}, "risk": run.risk.value, "last_at": iso(at)}
        yield Update(key, sets, adds={run.status: 1})
    if run.service and run.status in _WORKS:
        body = {
            "playbook": run.playbook,
            "service": run.service,
            "target": run.where,
            "target_type": run.target.partition("|")[0],
            "definition_hash": run.definition_hash,
            "version": run.version,
            "run_id": run.run_id,
            "at": iso(at),
            "dry_run": run.dry_run,
        }
        yield Put(Record(Key(REHEARSED, f"{run.playbook}#{run.service}"), body))


def in_history(run: Run, at: datetime) -> dict[str, Any]:
    """The run as `history_of` has it; one under way has its status for an outcome."""
    return {
        "run_id": run.run_id,
        "incident_id": run.incident_id,
        "service": run.service,
        "kind": run.kind.value,
        "version": run.version,
        "definition_hash": run.definition_hash,
        "target": run.target,
        "requester": run.requester.id,
        "dry_run": run.dry_run,
        "outcome": run.status,
        "reason": run.reason[:300],
        "at": iso(at),
    }


def tallies(table: Records, playbook: str = "") -> list[Tally]:
    """Those of one playbook's versions, or of all playbooks."""
    return [_tally(body) for _, body in table.query(TRACK, f"{playbook}#" if playbook else "")]


def history_of(table: Records, playbook: str, *, limit: int) -> list[Mapping[str, Any]]:
    """Its runs and rehearsals, newest first."""
    return [body for _, body in table.query(_history(playbook), newest_first=True, limit=limit)]


def success_rate(found: Iterable[Tally]) -> float | None:
    """Percent of the runs that acted and succeeded; None when none has acted."""
    found = list(found)
    acted = sum(tally.acted for tally in found)
    return round(100 * sum(tally.succeeded for tally in found) / acted, 1) if acted else None


def rates_by_risk(found: Iterable[Tally]) -> dict[str, float | None]:
    """The success rate of each risk class."""
    found = list(found)
    return {risk.value: success_rate(t for t in found if t.risk == risk.value) for risk in Risk}


def rehearsed(table: Records, playbook: str = "") -> list[Rehearsed]:
    """When it was last seen to work, for each service; or all playbooks."""
    return [_rehearsed(body) for _, body in table.query(REHEARSED, f"{playbook}#" if playbook else "")]


def last_rehearsal(table: Records, playbook: str, service: str) -> Rehearsed | None:
    body = table.get(Key(REHEARSED, f"{playbook}#{service}"))
    return _rehearsed(body) if body else None


def stale(definition: "Playbook", last: Rehearsed | None, *, service: str, now: datetime) -> str | None:
    """Why `definition` may not start by itself for `service` until it is rehearsed, or None.

    What takes a change back is never stale: it must not wait for a rehearsal.
    """
    if definition.undoes_change:
        return None
    remedy = f"incidentio playbooks rehearse {definition.name} --service {service}"
    if last is None:
        return f"it was never rehearsed for {service} ({remedy} --target …)"
    day = f"{last.at:%Y-%m-%d}"
    if last.target_type != definition.targets.type:
        return f"it acts on {definition.targets.type}, and was rehearsed on {last.target_type} on {day} ({remedy})"
    if last.definition_hash != definition.definition_hash:
        return f"its definition changed since it was rehearsed for {service} on {day} ({remedy})"
    if now - last.at > FRESH_FOR:
        return f"it was last rehearsed for {service} on {day}, more than {FRESH_FOR.days} days ago ({remedy})"
    return None


def stale_here(table: Records, bundle: Bundle, playbook: str, service: str | None, now: datetime) -> str | None:
    """`stale` for a playbook of this deployment and the last rehearsal there was."""
    definition = bundle.playbooks.get(playbook)
    if definition is None or not service:
        return None
    return stale(definition, last_rehearsal(table, playbook, service), service=service, now=now)


def _history(playbook: str) -> str:
    return f"HISTORY#{playbook}"


def _tally(body: Mapping[str, Any]) -> Tally:
    counts: Sequence[str] = (*_ACTED, "refused")
    return Tally(
        playbook=str(body["playbook"]),
        version=str(body["version"]),
        definition_hash=str(body["definition_hash"]),
        risk=str(body["risk"]),
        last_at=datetime.fromisoformat(str(body["last_at"])),
        **{name: int(body.get(name, 0)) for name in counts},
    )


def _rehearsed(body: Mapping[str, Any]) -> Rehearsed:
    return Rehearsed(**{**body, "at": datetime.fromisoformat(str(body["at"]))})
