"""`ports.Table` in memory, with DynamoDB's limits: what a simulation and the tests stand on.

Bodies pass through JSON, so that what cannot be stored fails here too, and nothing that a reader changes is
changed in the table. `tests/integration/test_table_contract.py` proves that this table and the real one agree.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from incidentio.core.deadlines import next_due
from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.heartbeat import is_listed
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, Status
from incidentio.core.ports import (
    CARD_FIELDS,
    AtMost,
    Condition,
    Filters,
    Key,
    Page,
    Put,
    Refused,
    Stale,
    Update,
    Write,
)
from incidentio.core.routing import Routing
from incidentio.core.timeline import Entry

WRITES_IN_A_TRANSACTION = 100
READS_AT_ONCE = 100
ITEM_BYTES = 400 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""


class _Partitions(dict[Key, dict[str, Any]]):
    """Bodies by key, and the sort keys of each partition, some of which may be gone."""

    def __init__(self) -> None:
        super().__init__()
        self.sort_keys: dict[str, set[str]] = {}

    def __setitem__(self, key: Key, body: dict[str, Any]) -> None:
        super().__setitem__(key, body)
        self.sort_keys.setdefault(key.pk, set()).add(key.sk)


class MemoryTable:
    """Incidents, their timelines and records, as dicts that may be looked into.

    `expires` holds what TTL would remove; nothing is removed here. `len(table)` counts incidents;
    `"INC-…" in table` asks for one.
    """

    def __init__(self, routing: Routing | None = None) -> None:
        self.routing = routing or Routing()
        self.incidents: dict[str, Incident] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.records = _Partitions()
        self.expires: dict[Key, datetime] = {}
        self._due_at: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self.incidents)

    def __contains__(self, incident_id: str) -> bool:
        return incident_id in self.incidents

    # --- incidents

    def incident(self, incident_id: str) -> Incident:
        if incident_id not in self.incidents:
            raise NotFound(f"there is no incident {incident_id}", incident_id=incident_id)
        return self.incidents[incident_id]

    def commit(self, change: Change, *writes: Write) -> None:
        current = self.incidents.get(change.incident.id)
        if (current.timeline_seq if current else 0) != change.expected_seq:
            raise Stale(current)
        self._check(writes, besides=1 + len(change.entries))
        dumped = change.incident.model_dump(mode="json")
        for body in (dumped, *(entry.data for entry in change.entries)):
            _fits(body)
        incident = Incident.model_validate(_unordered(dumped))
        stored = [Entry.model_validate_json(entry.model_dump_json()) for entry in change.entries]
        self.incidents[incident.id] = incident
        self.entries.setdefault(incident.id, []).extend(stored)
        self._apply(writes)
        if at := next_due(incident, self.routing):
            self._due_at[incident.id] = at
        else:
            self._due_at.pop(incident.id, None)

    def timeline(self, incident_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Entry]:
        found = [entry for entry in self.entries.get(incident_id, []) if entry.seq > after]
        return found[:limit] if limit is not None else found

    def page(self, filters: Filters, *, limit: int = 50, cursor: str | None = None) -> Page:
        statuses = {"open", *Status}
        if filters.status is not None and filters.status not in statuses:
            raise InvalidInput(f"unknown status {filters.status!r}: use {', '.join(sorted(statuses))}")
        start = _start_of(cursor)
        wanted = [i for i in self.incidents.values() if is_listed(i) and _matches(i, filters)]
        wanted.sort(key=lambda i: (i.detected_at, i.id), reverse=True)
        more = start + limit < len(wanted)
        return Page(
            items=[_card(i) for i in wanted[start : start + limit]], next=_cursor(start + limit) if more else None
        )

    def due(self, now: datetime) -> Iterable[str]:
        return [incident_id for incident_id, at in self._due_at.items() if at <= now]

    def next_due(self) -> datetime | None:
        """When `due` will next have something to say, if nothing happens until then."""
        return min(self._due_at.values(), default=None)

    # --- records

    def get(self, key: Key) -> Mapping[str, Any] | None:
        return _copy(self.records.get(key))

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        if len(set(keys)) > READS_AT_ONCE:
            raise InvalidInput(f"{len(set(keys))} records at once: at most {READS_AT_ONCE}")
        return {key: _copy(self.records[key]) for key in keys if key in self.records}

    def query(
        self, pk: str, prefix: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> Iterable[tuple[Key, Mapping[str, Any]]]:
        found = sorted((sk for sk in self.records.sort_keys.get(pk, ()) if sk.startswith(prefix)), reverse=newest_first)
        keys = [key for sk in found if (key := Key(pk, sk)) in self.records]
        yield from [(key, _copy(self.records[key])) for key in keys[:limit]]

    def write(self, *writes: Write) -> None:
        self._check(writes)
        self._apply(writes)

    def add(
        self, key: Key, counts: Mapping[str, int], *, sets: Mapping[str, Any] | None = None, when: Condition = None
    ) -> Mapping[str, Any]:
        self._check_condition(key, when)
        self._change(key, sets or {}, counts)
        return _copy(self.records[key])

    # --- writing

    def _check(self, writes: Sequence[Write], besides: int = 0) -> None:
        if len(writes) + besides > WRITES_IN_A_TRANSACTION:
            raise ValueError(f"{len(writes) + besides} writes in one transaction: at most {WRITES_IN_A_TRANSACTION}")
        keys = [_key_of(write) for write in writes]
        if len(set(keys)) != len(keys):
            raise InvalidInput("a transaction may touch an item once")
        for write in writes:
            self._check_condition(_key_of(write), write.when)
            _fits(write.record.body if isinstance(write, Put) else {})

    def _check_condition(self, key: Key, when: Condition) -> None:
        current = self.records.get(key)
        if when is None:
            return
        if isinstance(when, Mapping):
            holds = all(_holds((current or {}).get(name), value) for name, value in when.items())
        else:
            holds = current is None
        if not holds:
            raise Refused(key, _copy(current))

    def _apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if isinstance(write, Put):
                self._put(write)
            elif isinstance(write, Update):
                self._change(write.key, write.sets, write.adds)
            else:
                self.records.pop(write.key, None)
                self.expires.pop(write.key, None)

    def _put(self, put: Put) -> None:
        key = put.record.key
        self.records[key] = _unordered(json.loads(json.dumps(dict(put.record.body))))
        self.expires.pop(key, None)
        if put.record.expires_at:
            self.expires[key] = put.record.expires_at

    def _change(self, key: Key, sets: Mapping[str, Any], adds: Mapping[str, int]) -> None:
        body = dict(self.records.get(key, {}))
        body.update(_unordered(json.loads(json.dumps(dict(sets)))))
        body.update({name: body.get(name, 0) + amount for name, amount in adds.items()})
        self.records[key] = body


Body = TypeVar("Body")


def _copy(body: Body) -> Body:
    """Of what JSON can hold; several times faster than `copy.deepcopy`."""
    copied: Any = body
    if isinstance(body, dict):
        copied = {name: _copy(value) for name, value in body.items()}
    elif isinstance(body, list):
        copied = [_copy(value) for value in body]
    return cast("Body", copied)


def _key_of(write: Write) -> Key:
    return write.record.key if isinstance(write, Put) else write.key


def _fits(body: Mapping[str, Any]) -> None:
    size = len(json.dumps(dict(body), ensure_ascii=False).encode(errors="replace"))
    if size > ITEM_BYTES:
        raise InvalidInput(f"an item of {size} bytes: at most {ITEM_BYTES}")


def _unordered(value: Any) -> Any:
    """A map comes back from DynamoDB in an order of its own."""
    return {k: _unordered(value[k]) for k in sorted(value, reverse=True)} if isinstance(value, dict) else value


def _holds(stored: Any, wanted: Any) -> bool:
    if isinstance(wanted, AtMost):
        return stored is not None and bool(stored <= wanted.value)
    return bool(stored == wanted)


def _start_of(cursor: str | None) -> int:
    try:
        return int(json.loads(base64.urlsafe_b64decode(cursor))) if cursor else 0
    except (ValueError, TypeError):
        raise InvalidInput("the cursor is not one this API gave out") from None


def _cursor(start: int) -> str:
    return base64.urlsafe_b64encode(json.dumps(start).encode()).decode()


def _card(incident: Incident) -> dict[str, Any]:
    dumped = incident.model_dump(mode="json")
    return {
        "id": incident.id,
        **{name: dumped[name] for name in CARD_FIELDS},
        "detected_at": iso(incident.detected_at),
    }


def _matches(incident: Incident, filters: Filters) -> bool:
    if filters.status == "open":
        status_fits = incident.is_open
    else:
        status_fits = filters.status is None or incident.status == filters.status
    others = ("service", "severity", "kind", "environment")
    return status_fits and all(
        getattr(filters, name) is None or getattr(filters, name) == getattr(incident, name) for name in others
    )
