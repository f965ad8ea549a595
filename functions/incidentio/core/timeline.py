"""The timeline: append-only, hash-chained entries. Everything a person or a playbook did is one of these."""

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.ids import iso
from incidentio.core.person import Actor
from incidentio.core.signal import Kind

GENESIS = "0" * 64


class Entry(BaseModel):
    """One timeline entry, which is also one domain event: `type` is its detail-type, in the past tense.

    `text` is the sentence a person reads; `data` the same for programs. `hash` covers every other
    field and the previous entry's hash, so a changed, dropped or reordered entry breaks the chain.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    incident_id: str
    seq: int = Field(ge=1)
    type: str
    at: datetime
    actor: Actor
    text: str
    data: dict[str, Any] = Field(default_factory=dict)
    incident_version: int
    kind: Kind
    correlation_id: str
    previous_hash: str
    hash: str = ""

    def sealed(self) -> "Entry":
        """This entry with its hash filled in."""
        return self.model_copy(update={"hash": self.computed_hash()})

    def computed_hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of all fields but `hash`."""
        body = {
            "incident_id": self.incident_id,
            "seq": self.seq,
            "type": self.type,
            "at": iso(self.at),
            "actor": [self.actor.kind, self.actor.id],
            "text": self.text,
            "data": _spelled(self.data),
            "incident_version": self.incident_version,
            "kind": self.kind.value,
            "correlation_id": self.correlation_id,
            "previous_hash": self.previous_hash,
        }
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(canonical.encode()).hexdigest()


def _spelled(value: Any) -> Any:
    """Whole numbers as integers: the table gives back 1 for 1.0, and the digits for 1e+22."""
    match value:
        case float() if value.is_integer():
            return int(Decimal(repr(value)))
        case dict():
            return {name: _spelled(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_spelled(inner) for inner in value]
    return value


class BrokenLink(BaseModel):
    """The first place where a chain does not hold."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    seq: int
    why: str


def first_broken_link(entries: Iterable[Entry], *, seq: int, head_hash: str) -> BrokenLink | None:
    """Recompute the chain in order of `seq` and compare its end with the incident's own head.

    Args:
        entries: the whole timeline, oldest first.
        seq: the incident's `timeline_seq`.
        head_hash: the incident's `head_hash`.
    """
    previous, expected_seq = GENESIS, 1
    for entry in entries:
        if entry.seq != expected_seq:
            return BrokenLink(seq=expected_seq, why=f"entry {expected_seq} is missing (found {entry.seq})")
        if entry.previous_hash != previous:
            return BrokenLink(seq=entry.seq, why="does not continue the entry before it")
        if entry.computed_hash() != entry.hash:
            return BrokenLink(seq=entry.seq, why="was changed after it was written")
        previous, expected_seq = entry.hash, expected_seq + 1
    if expected_seq - 1 != seq:
        odd = min(expected_seq, seq + 1)
        return BrokenLink(seq=odd, why=f"the incident counts {seq} entries and {expected_seq - 1} are there")
    if previous != head_hash:
        return BrokenLink(seq=seq, why="is not the head the incident remembers")
    return None
