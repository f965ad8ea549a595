"""What the core and the lanes need from the outside, as small protocols; `incidentio.aws` implements them.

The table port has two halves. Incidents and their timelines go through `commit`, which is one
transaction with the outbox. Everything else a lane keeps (dedup pointers, pages, runs, approvals,
locks, leases, switches) is a `Record`: a plain dict under a two-part key, written with a
condition, alone or inside a commit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from incidentio.core.incident import Change, Incident
from incidentio.core.timeline import Entry

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Key:
    """`pk` groups what is read together; `sk` orders within it."""

    pk: str
    sk: str


@dataclass(frozen=True)
class Record:
    """A JSON-like body under a key. `expires_at` lets the table forget it (TTL, hours late at times)."""

    key: Key
    body: Mapping[str, Any]
    expires_at: datetime | None = None


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""Condition: nothing is stored under the key."""


@dataclass(frozen=True)
class AtMost:
    """In a condition: the attribute is there and sorts no later than `value`."""

    value: Any


Condition = _Absent | Mapping[str, Any] | None
"""ABSENT, or {attribute: value it must have} (None: attribute must be missing; or an AtMost), or None for no condition.
"""


@dataclass(frozen=True)
class Put:
    """Write `record` whole, if `when` holds."""

    record: Record
    when: Condition = None


@dataclass(frozen=True)
class Delete:
    """Remove what is under `key`, if `when` holds."""

    key: Key
    when: Condition = None


@dataclass(frozen=True)
class Update:
    """Set and add to attributes of what is under `key`, if `when` holds; the others stay.

    A missing record is created.
    """

    key: Key
    sets: Mapping[str, Any]
    when: Condition = None
    adds: Mapping[str, int] = field(default_factory=dict)


Write = Put | Delete | Update


class Refused(Exception):
    """A conditional write met another state: not an error of the caller but news about the world.

    `current` is what is stored under the refused key (None when nothing is).
    """

    def __init__(self, key: Key, current: Mapping[str, Any] | None) -> None:
        super().__init__(f"condition refused at {key.pk} {key.sk}")
        self.key = key
        self.current = current


class Stale(Exception):
    """The incident moved on between read and commit. `current` saves the re-read."""

    def __init__(self, current: Incident | None) -> None:
        super().__init__("the incident changed in the meantime")
        self.current = current


@dataclass(frozen=True)
class Filters:
    """Exact matches; None matches everything. `status` is one status or `open`."""

    status: str | None = None
    service: str | None = None
    severity: str | None = None
    kind: str | None = None
    environment: str | None = None


CARD_FIELDS = ("status", "severity", "service", "environment", "kind", "mode", "title", "version")
"""What a list shows of an incident, besides its id and `detected_at`."""


@dataclass(frozen=True)
class Page:
    """One page of incident cards (newest first) and the cursor of the next, None at the end."""

    items: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    next: str | None = None


class Records(Protocol):
    """Records alone."""

    def get(self, key: Key) -> Mapping[str, Any] | None:
        """The body under `key`, read consistently."""

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        """Those of `keys` (at most 100) that exist."""

    def query(
        self, pk: str, prefix: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> Iterable[tuple[Key, Mapping[str, Any]]]:
        """Records of a partition whose `sk` starts with `prefix`, in order of `sk` or backwards; all, or `limit`."""

    def write(self, *writes: Write) -> None:
        """All or nothing (at most 100).

        Raises:
            Refused: one condition did not hold; nothing was written.
        """

    def add(
        self, key: Key, counts: Mapping[str, int], *, sets: Mapping[str, Any] | None = None, when: Condition = None
    ) -> Mapping[str, Any]:
        """Add to number attributes in one plain update; returns the record afterwards.

        Raises:
            Refused: `when` did not hold.
        """


class Incidents(Protocol):
    """Incidents and their timelines."""

    def incident(self, incident_id: str) -> Incident:
        """Raises: NotFound."""

    def commit(self, change: Change, *writes: Write) -> None:
        """Summary, entries and `writes` in one transaction.

        Raises:
            Stale: another writer appended first.
            Refused: a condition of `writes` did not hold.
        """

    def timeline(self, incident_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Entry]:
        """Entries with `seq` > `after`, oldest first; all of them without `limit`."""

    def page(self, filters: Filters, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Constant cost per page, however many incidents there are or were.

        Raises:
            InvalidInput: the cursor is not one of ours.
        """

    def due(self, now: datetime) -> Iterable[str]:
        """Ids of open incidents whose `due_at` has come."""


class Table(Records, Incidents, Protocol):
    """Both halves: what a use case is given."""
