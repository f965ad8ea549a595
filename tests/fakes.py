"""In-memory fakes of our own ports. `tests/contract/` proves FakeTable and the real table agree."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from incidentio.aws.stored import CARD_FIELDS
from incidentio.core.archive import Retention
from incidentio.core.deadlines import next_due
from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, Status
from incidentio.core.ports import ABSENT, AtMost, Condition, Filters, Key, Page, Put, Refused, Stale, Update, Write
from incidentio.core.routing import Routing
from incidentio.core.timeline import Entry

_TRANSACTION_LIMIT = 100


class FakeClock:
    """Starts at a fixed UTC moment; `advance` moves it."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now


class FakeTable:
    """ports.Table over dicts. Bodies pass through JSON so that what cannot be stored fails here too.

    `before_commit` callables run once each, before a commit looks at the state: a test's way to be
    the faster writer. `len(table)` counts incidents; `"INC-…" in table` asks for one.
    """

    def __init__(self, routing: Routing | None = None) -> None:
        self.routing = routing or Routing()
        self.incidents: dict[str, Incident] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.records: dict[Key, dict[str, Any]] = {}
        self.expires: dict[Key, datetime] = {}
        self.before_commit: list[Any] = []
        self.calls = 0

    def __len__(self) -> int:
        return len(self.incidents)

    def __contains__(self, incident_id: str) -> bool:
        return incident_id in self.incidents

    def types(self, incident_id: str) -> list[str]:
        return [entry.type for entry in self.entries.get(incident_id, [])]

    def incident(self, incident_id: str) -> Incident:
        self.calls += 1
        if incident_id not in self.incidents:
            raise NotFound(f"there is no incident {incident_id}", incident_id=incident_id)
        return self.incidents[incident_id]

    def commit(self, change: Change, *writes: Write) -> None:
        self.calls += 1
        while self.before_commit:
            self.before_commit.pop(0)()
        current = self.incidents.get(change.incident.id)
        if (current.timeline_seq if current else 0) != change.expected_seq:
            raise Stale(current)
        self._check(writes, besides=1 + len(change.entries))
        self.incidents[change.incident.id] = Incident.model_validate(
            _unordered(change.incident.model_dump(mode="json"))
        )
        stored = [Entry.model_validate_json(entry.model_dump_json()) for entry in change.entries]
        self.entries.setdefault(change.incident.id, []).extend(stored)
        self._apply(writes)

    def timeline(self, incident_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Entry]:
        found = [entry for entry in self.entries.get(incident_id, []) if entry.seq > after]
        return found[:limit] if limit is not None else found

    def page(self, filters: Filters, *, limit: int = 50, cursor: str | None = None) -> Page:
        statuses = {"open", *Status}
        if filters.status is not None and filters.status not in statuses:
            raise InvalidInput(f"unknown status {filters.status!r}: use {', '.join(sorted(statuses))}")
        try:
            start = int(json.loads(base64.urlsafe_b64decode(cursor))) if cursor else 0
        except (ValueError, TypeError):
            raise InvalidInput("the cursor is not one this API gave out") from None
        wanted = [i for i in self.incidents.values() if _matches(i, filters)]
        wanted.sort(key=lambda i: (i.detected_at, i.id), reverse=True)
        cards = [_card(i) for i in wanted[start : start + limit]]
        more = start + limit < len(wanted)
        return Page(
            items=cards, next=base64.urlsafe_b64encode(json.dumps(start + limit).encode()).decode() if more else None
        )

    def due(self, now: datetime) -> Iterable[str]:
        for incident in list(self.incidents.values()):
            at = next_due(incident, self.routing)
            if at is not None and at <= now:
                yield incident.id

    def get(self, key: Key) -> Mapping[str, Any] | None:
        self.calls += 1
        return deepcopy(self.records.get(key))

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        self.calls += 1
        return {key: deepcopy(self.records[key]) for key in keys if key in self.records}

    def query(
        self, pk: str, prefix: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> Iterable[tuple[Key, Mapping[str, Any]]]:
        self.calls += 1
        keys = sorted((k for k in self.records if k.pk == pk and k.sk.startswith(prefix)), key=lambda k: k.sk)
        yield from ((key, deepcopy(self.records[key])) for key in (keys[::-1] if newest_first else keys)[:limit])

    def write(self, *writes: Write) -> None:
        self.calls += 1
        self._check(writes)
        self._apply(writes)

    def add(
        self, key: Key, counts: Mapping[str, int], *, sets: Mapping[str, Any] | None = None, when: Condition = None
    ) -> Mapping[str, Any]:
        self.calls += 1
        self._check_one(key, when)
        body = self.records.setdefault(key, {})
        for name, amount in counts.items():
            body[name] = body.get(name, 0) + amount
        body.update(json.loads(json.dumps(sets or {})))
        return deepcopy(body)

    def _check(self, writes: Sequence[Write], besides: int = 0) -> None:
        if len(writes) + besides > _TRANSACTION_LIMIT:
            raise ValueError(f"a transaction holds {_TRANSACTION_LIMIT} writes")
        keys = [write.record.key if isinstance(write, Put) else write.key for write in writes]
        if len(set(keys)) != len(keys):
            raise ValueError("a transaction may touch an item once")
        for write in writes:
            self._check_one(write.record.key if isinstance(write, Put) else write.key, write.when)

    def _check_one(self, key: Key, when: Condition) -> None:
        current = self.records.get(key)
        if when is None:
            return
        holds = (
            current is None
            if when is ABSENT
            else all(_holds((current or {}).get(name), value) for name, value in when.items())  # type: ignore[union-attr]
        )
        if not holds:
            raise Refused(key, deepcopy(current))

    def _apply(self, writes: Sequence[Write]) -> None:
        for write in writes:
            if isinstance(write, Put):
                self.records[write.record.key] = json.loads(json.dumps(dict(write.record.body)))
                self.expires.pop(write.record.key, None)
                if write.record.expires_at:
                    self.expires[write.record.key] = write.record.expires_at
            elif isinstance(write, Update):
                body = self.records.setdefault(write.key, {})
                body.update(json.loads(json.dumps(dict(write.sets))))
                body.update({name: body.get(name, 0) + amount for name, amount in write.adds.items()})
            else:
                self.records.pop(write.key, None)
                self.expires.pop(write.key, None)


def _unordered(value: Any) -> Any:
    """A map comes back from DynamoDB in an order of its own."""
    return {k: _unordered(value[k]) for k in sorted(value, reverse=True)} if isinstance(value, dict) else value


def _holds(stored: Any, wanted: Any) -> bool:
    if isinstance(wanted, AtMost):
        return stored is not None and bool(stored <= wanted.value)
    return bool(stored == wanted)


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


class FakeArchive:
    """core.archive.Archive over a dict: `versions[key]` holds every version, `locks` what may not be deleted."""

    def __init__(self) -> None:
        self.versions: dict[str, list[bytes]] = {}
        self.locks: dict[str, Retention] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.versions

    def __len__(self) -> int:
        return sum(len(versions) for versions in self.versions.values())

    def put(
        self, key: str, body: bytes, *, content_type: str, retention: Retention | None = None, once: bool = False
    ) -> str | None:
        if once and key in self.versions:
            return None
        self.versions.setdefault(key, []).append(body)
        if retention:
            self.locks[key] = retention
        return f"v{len(self.versions[key])}"

    def get(self, key: str) -> bytes | None:
        return self.versions[key][-1] if key in self.versions else None
