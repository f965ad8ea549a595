"""What was told of an incident, as records: each is claimed, then published, then recorded.

Key: `INC#<id>` / `PAGE#<version>#<channel>#<n>`, where `<channel>` is `<topic>.<notice>`:

* a *call* ("there is something for you") is `page.SEV2` under the version its episode of impact began
  at, so a late triage, a promotion and a sweep that mean the same call meet at one key; `n` counts repeats;
* a *notice* about one thing that happened is `page.ApprovalRequested.17` under the version it happened
  at; 17 is the sequence number of its timeline entry, so two approvals at one version are two notices
  and one event delivered twice is one;
* what nobody was told of is `none.<reason>`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.ports import Key, Record, Records

CLAIM_LASTS = timedelta(seconds=30)
"""Longer than the function may run: whoever claimed before that is gone."""

FORGOTTEN = "AcknowledgementTimedOut"
"""The event of a call that is made again although somebody acknowledged it."""


class Channel(StrEnum):
    PAGE = "page"
    TICKET = "ticket"
    TEST = "test"


@dataclass(frozen=True)
class Page:
    """One thing told on one channel. `event` led to it, `seq` is its entry (0: the incident as it stands).

    `seen` is the last entry its text could know of; `services` are those a call said are affected.
    """

    incident_id: str
    channel: Channel
    notice: str
    version: int
    n: int = 1
    event: str = ""
    call: bool = False
    seq: int = 0
    seen: int = 0
    services: tuple[str, ...] = ()
    claimed_at: datetime | None = None
    published_at: datetime | None = None

    @property
    def slot(self) -> str:
        return f"{self.channel.value}.{self.notice}"

    @property
    def page_id(self) -> str:
        """The same however often it is published: subscribers drop repeats by it."""
        return f"PG-{self.incident_id.removeprefix('INC-')}-{self.version}-{self.slot}-{self.n}"

    @property
    def key(self) -> Key:
        return Key(f"INC#{self.incident_id}", f"PAGE#{self.version}#{self.slot}#{self.n}")

    def record(self, **more: Any) -> Record:
        body = {
            **{name: value for name, value in asdict(self).items() if name not in ("claimed_at", "published_at")},
            "channel": self.channel.value,
            "page_id": self.page_id,
            "status": "published" if self.published_at else "claimed",
            "claimed_at": iso(self.claimed_at) if self.claimed_at else None,
            "published_at": iso(self.published_at) if self.published_at else None,
            **more,
        }
        return Record(self.key, body)

    def is_abandoned(self, now: datetime) -> bool:
        """Claimed so long ago that whoever did must have died before recording it."""
        return self.published_at is None and self.claimed_at is not None and now - self.claimed_at >= CLAIM_LASTS

    def claimed(self, now: datetime) -> "Page":
        return replace(self, claimed_at=now, published_at=None)

    def published(self, now: datetime) -> "Page":
        return replace(self, published_at=now)


def page_from(body: Mapping[str, Any]) -> Page:
    return Page(
        incident_id=body["incident_id"],
        channel=Channel(body["channel"]),
        notice=body["notice"],
        version=body["version"],
        n=body["n"],
        event=body["event"],
        call=body["call"],
        seq=body["seq"],
        seen=body["seen"],
        services=tuple(body["services"]),
        claimed_at=_at(body["claimed_at"]),
        published_at=_at(body["published_at"]),
    )


def pages_of(incident_id: str, table: Records) -> list[Page]:
    """Everything told or being told of an incident."""
    return [page_from(body) for _, body in table.query(f"INC#{incident_id}", "PAGE#") if body["status"] != "skipped"]


def untold(incident_id: str, version: int, code: str, reason: str, at: datetime) -> Record:
    """The record that makes the timeline say once why nobody was told."""
    key = Key(f"INC#{incident_id}", f"PAGE#{version}#none.{code}#1")
    return Record(key, {"status": "skipped", "reason": reason, "at": iso(at)})


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
