"""The signals that belong to an incident, and the pointers by which a repeated signal finds it.

A dedup key has one pointer (`DEDUP#<hash>`): which incident it belongs to, whether that is open,
the last accepted state and its time (the fence), and counters. An incident has one member record
per signal. While a pointer says `open`, ingest counts repetitions on it without reading anything
else, so whoever ends an incident closes its pointers in the same commit, and whoever reopens or
merges one points them right. A pointer wrongly closed costs one read at the next signal; a pointer
wrongly open would swallow a real alarm: in doubt, close.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from incidentio.core.incident import Incident
from incidentio.core.ports import Delete, Key, Put, Record, Records, Update, Write
from incidentio.core.signal import Mode, SignalState, dedup_hash

MAX_WRITES = 80
"""How many member writes ride in one commit: a transaction holds 100, entries and summary included."""

NOT_SAID = "none"
"""On a pointer, where its signal says no severity: it sorts behind all of them."""
_READ_AT_ONCE = 100
_WHILE_INHIBITED = ("inhibited", "mode", "mode_reason")

Member = Mapping[str, Any]


def pointer_key(dedup_key: str) -> Key:
    return pointer_key_of(dedup_hash(dedup_key))


def pointer_key_of(hashed: str) -> Key:
    """Of a dedup key of which only the hash is known."""
    return Key(f"DEDUP#{hashed}", "POINTER")


def member_key(incident_id: str, dedup_key: str) -> Key:
    return Key(f"INC#{incident_id}", f"MEMBER#{dedup_hash(dedup_key)}")


def left_key(incident_id: str, dedup_key: str) -> Key:
    """Where a signal is kept that has left an incident and is in no other one yet."""
    return Key(f"INC#{incident_id}", f"LEFT#{dedup_hash(dedup_key)}")


def left_of(records: Records, incident_id: str) -> list[Member]:
    """The bodies of those records, as of members."""
    return [body for _, body in records.query(f"INC#{incident_id}", "LEFT#")]


def members_of(records: Records, incident_id: str) -> list[Member]:
    """The bodies of the member records: `dedup_key, state, source, title, reason, alarm_arn, changed_at, …`."""
    return [body for _, body in records.query(f"INC#{incident_id}", "MEMBER#")]


def closing(records: Records, incident: Incident) -> list[Write]:
    """What to commit with the change that ends `incident` (resolve, cancel): its pointers close.

    Beyond MAX_WRITES members the rest is written at once, before the commit: should the commit
    fail, those signals find their incident again the long way.
    """
    return _in_one_commit(records, closing_writes(members_of(records, incident.id)) if incident.members else [])


def reopening(records: Records, incident: Incident) -> tuple[list[Write], int]:
    """What to commit with the change that reopens `incident`, and how many of its signals fire now.

    Signals that went to a newer incident in the meantime stay there. Beyond MAX_WRITES members the
    rest stays closed, and those signals find the incident the long way. The writes are refused
    where a signal changed after it was counted.
    """
    members = members_of(records, incident.id) if incident.members else []
    pointers = pointers_of(records, members)
    own = [m for m in members if pointers.get(m["dedup_key"], {}).get("incident_id") == incident.id]
    firing = sum(pointers[m["dedup_key"]].get("state") == SignalState.FIRING for m in own)
    writes = [_opening(m, incident.id, pointers[m["dedup_key"]]) for m in own[:MAX_WRITES]]
    return writes, firing


def closing_writes(members: Iterable[Member]) -> list[Write]:
    """Their incident has ended: the next signal decides anew."""
    return [Update(pointer_key(m["dedup_key"]), {"open": False}) for m in members]


def promoting_writes(members: Iterable[Member]) -> list[Write]:
    """Their incident went from monitor to live."""
    return [Update(pointer_key(m["dedup_key"]), {"mode": Mode.LIVE.value}) for m in members]


def moving_writes(
    members: Iterable[Member],
    pointers: Mapping[str, Mapping[str, Any]],
    *,
    source: str,
    target: Incident,
    apart: bool = False,
) -> list[Write]:
    """They leave incident `source` for `target` (merge, split): three writes per member.

    `apart`: somebody split them off, so they do not come back to `source` by themselves.

    Refused where a pointer no longer says what it does in `pointers`, which is what was counted.
    A pointer that a newer incident has stays there.
    """
    writes: list[Write] = []
    for member in members:
        key = member["dedup_key"]
        own = {name: value for name, value in member.items() if name not in _WHILE_INHIBITED}
        writes.append(Put(Record(member_key(target.id, key), own)))
        writes.append(Delete(member_key(source, key)))
        pointer = pointers.get(key, {})
        if pointer.get("incident_id") == source:
            pointing = {
                "open": target.is_open,
                "incident_id": target.id,
                "mode": target.mode.value,
                "apart": source if apart else "",
                "inhibited": False,
            }
            as_counted = {"incident_id": source, "state": pointer.get("state")}
            writes.append(Update(pointer_key(key), pointing, when=as_counted))
    return writes


def _opening(member: Member, incident_id: str, pointer: Mapping[str, Any]) -> Write:
    """What is there only because another one fires stays closed: each signal looks again whether that is so."""
    as_counted = {"incident_id": incident_id, "state": pointer.get("state")}
    return Update(pointer_key(member["dedup_key"]), {"open": not pointer.get("inhibited")}, when=as_counted)


def _in_one_commit(records: Records, writes: Sequence[Write]) -> list[Write]:
    early = list(writes[MAX_WRITES:])
    for start in range(0, len(early), MAX_WRITES):
        records.write(*early[start : start + MAX_WRITES])
    return list(writes[:MAX_WRITES])


def pointers_of(records: Records, members: Iterable[Member]) -> dict[str, Mapping[str, Any]]:
    """Dedup key → its pointer, of those that have one."""
    found: dict[str, Mapping[str, Any]] = {}
    keys = {pointer_key(m["dedup_key"]): m["dedup_key"] for m in members}
    for start in range(0, len(keys), _READ_AT_ONCE):
        batch = list(keys)[start : start + _READ_AT_ONCE]
        found |= {keys[key]: body for key, body in records.get_many(batch).items()}
    return found
