"""Where a signal belongs that is of no incident yet: read once for all of a delivery, in this order.

1. A playbook is working on its target: that run's incident.
2. Something fires that inhibits it: that one's incident, silently.
3. Its group is open: the group's incident.
4. A storm goes on: the storm's incident of its service, or the storm itself (`storming`).
5. Otherwise it opens one.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.errors import IncidentioError
from incidentio.core.grouping import Group, taking
from incidentio.core.ids import iso
from incidentio.core.inhibition import Inhibited, Inhibition, Source, as_source, as_target, sources
from incidentio.core.ports import Key, Records, Refused
from incidentio.core.signal import SignalState
from incidentio.ingest.case import Case
from incidentio.ingest.locks import holder_of, lock_keys

_AT_ONCE = 100
_FORGOTTEN_AT_ONCE = 25
_SILENT = timedelta(days=7)
Stored = Mapping[Key, Mapping[str, Any]]


@dataclass(frozen=True)
class Place:
    """An open incident that takes the signal, and why; `rule` says what inhibits it there."""

    incident_id: str
    why: str
    rule: Inhibited | None = None
    threshold: int = 1


@dataclass(frozen=True)
class Opening:
    """No incident takes it, so it opens one, which is that of its `group` from then on; `stored` is the group's record.

    `parent` is the storm it belongs to; `own` is what it would have opened without one.
    """

    group: Group | None = None
    stored: Mapping[str, Any] | None = None
    parent: str | None = None
    own: "Opening | None" = None


def places(cases: Sequence[Case], records: Records) -> list[tuple[Case, Place | Opening]]:
    """Each case and where it belongs by the first three rules. One read, and two more where it may be inhibited."""
    keys = [key for case in cases for key in _keys(case)]
    stored = _read(records, dict.fromkeys(keys))
    return [(case, _place(case, stored, records)) for case in cases]


def not_inhibited_first(cases: Sequence[Case], others: Sequence[Case]) -> Sequence[Case]:
    """Without those that one of them, or of `others`, may inhibit: they are placed when it is known where those are.

    All of them where each may inhibit another.
    """
    rules = cases[0].catalog.routing.inhibit_rules if len(cases) + len(others) > 1 else ()
    if not rules:
        return cases
    inhibiting: dict[str, list[tuple[Case, bool]]] = {}
    for case in (*cases, *others):
        for side in as_source(rules, case.labels):
            inhibiting.setdefault(side.pk, []).append((case, side.both))
    waiting = {
        case.run.dedup_key
        for case in cases
        for side in as_target(rules, case.labels)
        for source, both in inhibiting.get(side.pk, ())
        if source is not case and not (side.both and both)
    }
    ready = [case for case in cases if case.run.dedup_key not in waiting]
    return ready if ready or others else cases


def inhibited_by(case: Case, records: Records) -> Place | None:
    """The incident of the first signal that fires and inhibits this one; where it is not to go does not count.

    What a rule in monitor mode would have done is only noted in the case.
    """
    rules = case.catalog.routing.inhibit_rules
    for side in as_target(rules, case.labels) if rules else ():
        for source in _firing(side, case, records):
            if (usable := open_to(case, source.incident_id)) is None:
                continue
            found = Inhibited(source.name, source.mark, side.rule)
            if not side.rule.monitors:
                return Place(usable, "", rule=found)
            case.would["inhibition"] = f"would be a silent member of {usable}: {found}"
            break
    return None


def open_to(case: Case, incident_id: str | None) -> str | None:
    """The incident itself or the one it was merged into; None where the signal was split off, or refused before."""
    for _ in range(len(case.moved) + 1):
        if not incident_id or (case.pointer and case.pointer.apart == incident_id):
            return None
        if incident_id not in case.moved:
            return incident_id
        incident_id = case.moved[incident_id]
    return None


def group_place(case: Case, stored: Mapping[str, Any] | None) -> Place | None:
    """The open incident of the case's group."""
    if case.group is None:
        return None
    return group_record_place(case, stored, why=f"too, grouped by {case.group.text}", threshold=case.threshold)


def group_record_place(case: Case, stored: Mapping[str, Any] | None, *, why: str, threshold: int = 1) -> Place | None:
    """The open incident that a group's record names."""
    incident_id = open_to(case, taking(stored, now=case.now))
    return Place(incident_id, why, threshold=threshold) if incident_id else None


def _place(case: Case, stored: Stored, records: Records) -> Place | Opening:
    locked = holder_of(case.signal.subject, stored, case.now)
    if locked and (holder := open_to(case, locked)):
        return Place(holder, "on a target that a playbook is working on")
    if inhibited := inhibited_by(case, records):
        return inhibited
    record = stored.get(case.group.key) if case.group else None
    found = group_place(case, record)
    if case.group and case.group.grouping.monitors:
        where = f"would be part of {found.incident_id}" if found else "would open the incident of its group"
        counts = case.group.grouping.threshold
        held = f", of which nobody is told before {counts} have fired" if counts > 1 else ""
        case.would["grouping"] = f"{where} ({case.group.text}){held}"
        return Opening() if found else Opening(case.group, record)
    return found or Opening(_own_group(case, record), record)


def _own_group(case: Case, record: Mapping[str, Any] | None) -> Group | None:
    """What is split off its group's incident does not become the group."""
    named = taking(record, now=case.now)
    apart = named and case.pointer and case.pointer.apart == named
    return None if apart else case.group


def _keys(case: Case) -> list[Key]:
    return [*lock_keys(case.signal.subject), *([case.group.key] if case.group else [])]


def _read(records: Records, keys: Iterable[Key]) -> Stored:
    wanted = list(keys)
    found: dict[Key, Mapping[str, Any]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        found |= records.get_many(wanted[start : start + _AT_ONCE])
    return found


def _firing(side: Inhibition, case: Case, records: Records) -> list[Source]:
    """What fires on the other side."""
    found = sources(side, case.run.dedup_key, records)
    stable = case.catalog.routing.recovery.stable_for
    _forget(side, [s.body for s in found if _is_over(s.pointer, case.now, stable)], records)
    return [source for source in found if source.fires]


def _is_over(pointer: Mapping[str, Any], now: datetime, stable: timedelta) -> bool:
    """Whether it will be written down anew before it inhibits again: it recovered, or was ended and said no more."""
    if not pointer:
        return False
    if pointer.get("state") == SignalState.OK:
        return str(pointer.get("fence", "")) < iso(now - stable)
    belongs = pointer.get("open") or pointer.get("inhibited")
    return not belongs and str(pointer.get("last_seen_at", "")) < iso(now - _SILENT)


def _forget(side: Inhibition, sources: Sequence[Mapping[str, Any]], records: Records) -> None:
    """So that each look reads about as many as fire. What cannot be forgotten now is at the next look."""
    writes = [side.forgetting(source) for source in sources[:_FORGOTTEN_AT_ONCE]]
    with suppress(Refused, IncidentioError):
        if writes:
            records.write(*writes)
