"""Merging two incidents into one, and splitting a signal off into an incident of its own."""

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from incidentio.api import texts
from incidentio.api.calls import Api, Call
from incidentio.api.changing import change, replayed
from incidentio.api.opening import opened_before, remembered
from incidentio.core import lifecycle
from incidentio.core.amend import Decision, amend
from incidentio.core.archive import anchor_due
from incidentio.core.counted import counted
from incidentio.core.errors import Conflict, NotFound, Unavailable
from incidentio.core.ids import new_incident_id, parse_incident_id
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.members import MAX_WRITES, Member, members_of, moving_writes, pointer_key, pointers_of
from incidentio.core.ports import Delete, Refused, Stale, Table, Write
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState, Subject

_BATCH = MAX_WRITES // 3
_TRIES = 5
Pointers = Mapping[str, Mapping[str, Any]]


def merge(api: Api, call: Call, incident_id: str, *, into: str, note: str) -> Incident:
    """Make `incident_id` part of `into`, which takes over its signals.

    Signals move first, in transactions of their own: should that stop half way, both incidents are
    still open and the same request finishes the work.

    Raises:
        InvalidInput, Conflict, IllegalTransition: see `lifecycle.merge`.
    """
    said = texts.note(note)
    source = api.table.incident(parse_incident_id(incident_id))
    if replayed(call, source):
        return source
    target = api.table.incident(parse_incident_id(into))
    lifecycle.merge(source, into=target, actor=call.actor, at=call.at)

    def decide(current: Incident) -> Decision:
        if members_of(api.table, current.id):
            raise _MoreArrived
        merged = lifecycle.merge(current, into=target, actor=call.actor, at=call.at, note=said)
        emptied = merged.incident.model_copy(update={"members": 0, "firing": 0})
        return replace(merged, incident=emptied), [anchor_due(current.id, call.at)]

    for _ in range(_TRIES):
        _move_all(api.table, call, source, target)
        try:
            return change(api, call, source.id, decide)
        except _MoreArrived:
            continue
    raise Unavailable(f"signals keep arriving at {source.id}: try again")


def split(api: Api, call: Call, incident_id: str, *, dedup_key: str, note: str) -> Incident:
    """Take one signal out of its incident and open a new one for it.

    Raises:
        NotFound: the incident has no such signal; `details` names those it has.
        Conflict: the incident is not open, or this is its only signal.
    """
    said = texts.note(note)
    source = api.table.incident(parse_incident_id(incident_id))
    opened = opened_before(api, call.key) if call.key else None
    if opened is None:
        replayed(call, source)
        member = _splittable(source, members_of(api.table, source.id), dedup_key)
        opened = _opened(api.table, call, source, member, said)
    part = opened
    amend(api.table, source.id, lambda current: _gave_up(api.table, current, part, dedup_key, call))
    return part


class _MoreArrived(Exception):
    """A signal joined the source after its signals were moved."""


def _move_all(table: Table, call: Call, source: Incident, target: Incident) -> None:
    while members_of(table, source.id):
        with suppress(Refused):  # a signal changed while it was counted: again
            amend(table, target.id, lambda current: _took_over(table, current, source, call))


def _took_over(table: Table, target: Incident, source: Incident, call: Call) -> Decision:
    batch = members_of(table, source.id)[:_BATCH]
    if not batch:
        return None
    if not target.is_open:
        raise Conflict(f"{target.id} is {target.status.value}: merge into an open incident", status=target.status.value)
    together = [*members_of(table, target.id), *batch]
    pointers = pointers_of(table, together)
    titles = [str(m.get("title", "")) for m in batch]
    joined = recorded(
        target,
        "SignalJoined",
        actor=call.actor,
        at=call.at,
        text=f"{counted(len(batch), 'signal')} of {source.id} joined, merged by {call.actor}: "
        f"{', '.join(titles)[:1000]}",
        data={"merged_from": source.id, "count": len(batch), "dedup_keys": [m["dedup_key"] for m in batch]},
        **_counts(together, pointers, {source.id, target.id}, target.ok_since),
    )
    return joined, moving_writes(batch, pointers, source=source.id, target=target)


def _gave_up(table: Table, source: Incident, opened: Incident, dedup_key: str, call: Call) -> Decision:
    left = members_of(table, source.id)
    if len(left) == source.members:
        return None  # a repetition: it is counted already
    return recorded(
        source,
        "IncidentSplit",
        actor=call.actor,
        at=call.at,
        text=f"{opened.title} is an incident of its own, {opened.id}, split off by {call.actor}",
        data={"split_into": opened.id, "dedup_key": dedup_key},
        lifecycle=True,
        released_at=call.at if source.inhibits else source.released_at,
        **_counts(left, pointers_of(table, left), {source.id}, source.ok_since or call.at),
    )


def _opened(table: Table, call: Call, source: Incident, member: Member, note: str) -> Incident:
    pointer = pointer_key(member["dedup_key"])
    for _ in range(_TRIES):
        pointers = pointers_of(table, [member])
        firing = bool(_firing(pointers, {source.id}))
        change = _split_off(source, member, new_incident_id(), call, firing=firing, note=note)
        moving = moving_writes([member], pointers, source=source.id, target=change.incident, apart=True)
        writes = _unless_gone(moving, dedup_key=member["dedup_key"])
        if call.key:
            writes.append(remembered(call.key, change.incident.id, call.at))
        try:
            table.commit(change, *writes)
        except Stale:
            continue  # the id is taken: draw another
        except Refused as refused:
            if refused.key == pointer and (refused.current or {}).get("incident_id") == source.id:
                continue  # it changed while it was counted
            raise Conflict(f"the signal has just left {source.id}: read it again") from None
        return change.incident
    raise Unavailable("no free incident id was found: try again")


def _split_off(source: Incident, member: Member, incident_id: str, call: Call, *, firing: bool, note: str) -> Change:
    severity = member.get("severity")
    incident = Incident(
        id=incident_id,
        title=str(member.get("title") or source.title)[:200],
        severity=Severity(severity) if severity else source.severity,
        service=member.get("service"),
        environment=member.get("environment") or source.environment,
        kind=source.kind,
        mode=source.mode,
        mode_reason=source.mode_reason,
        correlation_id=incident_id,
        impact_started_at=source.impact_started_at,
        detected_at=call.at,
        source=str(member.get("source") or source.source),
        dedup_key=member["dedup_key"],
        subject=_subject(source, member),
        members=1,
        firing=int(firing),
        ok_since=None if firing else call.at,
    )
    return recorded(
        incident,
        "IncidentTriggered",
        actor=call.actor,
        at=call.at,
        text=f"split off {source.id} by {call.actor}: {incident.title}" + (f"\n{note}" if note else ""),
        data={"title": incident.title, "split_from": source.id, "dedup_key": member["dedup_key"], "note": note},
        lifecycle=True,
    )


def _splittable(source: Incident, members: Sequence[Member], dedup_key: str) -> Member:
    if not source.is_open:
        raise Conflict(f"{source.id} is {source.status.value}: only an open incident is split", status=source.status)
    found = next((m for m in members if m["dedup_key"] == dedup_key), None)
    if found is None:
        raise NotFound(
            f"{source.id} has no signal with that dedup_key", dedup_keys=[m["dedup_key"] for m in members[:50]]
        )
    if len(members) == 1:
        raise Conflict(f"it is the only signal of {source.id}: there is nothing to split")
    return found


def _counts(members: Sequence[Member], pointers: Pointers, owners: Set[str], ok_since: datetime | None) -> Member:
    firing = _firing(pointers, owners)
    keys = {m["dedup_key"] for m in members}
    return {"members": len(keys), "firing": firing, "ok_since": None if firing else ok_since}


def _firing(pointers: Pointers, owners: Set[str]) -> int:
    """How many fire and belong to `owners`: pointers know, a member record is as it was when the signal joined."""
    return sum(p.get("state") == SignalState.FIRING and p.get("incident_id") in owners for p in pointers.values())


def _subject(source: Incident, member: Member) -> Subject:
    if "subject" in member:
        return Subject.model_validate(member["subject"])
    if member["dedup_key"] == source.dedup_key:
        return source.subject
    match str(member.get("alarm_arn", "")).split(":", 6):
        case [_, _, "cloudwatch", region, account, "alarm", name]:
            return Subject(account=account, region=region, alarm_name=name, alarm_arn=str(member["alarm_arn"]))
    return Subject()


def _unless_gone(writes: Sequence[Write], *, dedup_key: str) -> list[Write]:
    """The same writes, refused when somebody else moved the signal first."""
    return [replace(w, when={"dedup_key": dedup_key}) if isinstance(w, Delete) else w for w in writes]
