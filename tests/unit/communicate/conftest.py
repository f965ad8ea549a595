"""A teller on fakes: our own table and topics, a clock that only moves when told to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from incidentio.communicate.tell import Outcome, Teller
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Unavailable
from incidentio.core.events import event_of
from incidentio.core.incident import Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.severity import Severity
from tests.fakes import FakeClock, FakeTable
from tests.make import opened

ID = "INC-7K3F9A"


@dataclass(frozen=True)
class Sent:
    channel: str
    subject: str
    body: str
    attributes: Mapping[str, str]

    @property
    def page_id(self) -> str:
        return self.attributes["page_id"]


@dataclass
class FakeTopics:
    """Keeps what was published; `failures` are raised first, one a call; `on_publish` runs before it counts."""

    sent: list[Sent] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    on_publish: list[Callable[[], None]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sent)

    def publish(self, channel: str, *, subject: str, body: str, attributes: Mapping[str, str]) -> str:
        if self.failures:
            raise self.failures.pop(0)
        while self.on_publish:
            self.on_publish.pop(0)()
        self.sent.append(Sent(str(channel), subject, body, attributes))
        return f"message-{len(self.sent)}"

    def on(self, channel: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.channel == channel]


@dataclass
class Desk:
    """What most tests need: append entries to the one incident and let the teller hear of them."""

    teller: Teller
    table: FakeTable
    topics: FakeTopics
    clock: FakeClock

    def open(self, **fields: Any) -> Incident:
        self.table.commit(opened(**fields))
        return self.incident

    def triaged(self, severity: Severity = Severity.SEV2, **updates: Any) -> None:
        updates = {"triaged_at": self.clock(), "triaged_as": "live", "severity": severity, **updates}
        self.happened("IncidentTriaged", lifecycle=True, **updates)

    def happened(self, type: str, *, data: dict[str, Any] | None = None, **more: Any) -> None:
        """Record an entry and deliver its event."""
        self.record(type, data=data, **more)
        self.hear(len(self.table.entries[ID]))

    def record(self, type: str, *, data: dict[str, Any] | None = None, **more: Any) -> None:
        self.table.commit(recorded(self.incident, type, actor=SYSTEM, at=self.clock(), text=type, data=data, **more))

    def change(self, decide: Callable[[Incident], Any]) -> None:
        """Commit a lifecycle command and deliver its event."""
        self.table.commit(decide(self.incident))
        self.hear(len(self.table.entries[ID]))

    def hear(self, seq: int) -> Outcome:
        return self.teller.told(event_of(self.table.entries[ID][seq - 1]))

    @property
    def incident(self) -> Incident:
        return self.table.incidents[ID]

    @property
    def types(self) -> list[str]:
        return self.table.types(ID)


def desk_with(bundle: Bundle, clock: FakeClock | None = None) -> Desk:
    clock = clock or FakeClock()
    table, topics = FakeTable(bundle.catalog.routing), FakeTopics()
    teller = Teller(
        table=table,
        topics=topics,
        bundle=bundle,
        api_url="https://api.example.com/prod",
        clock=clock,
        pause=lambda seconds: clock.advance(seconds=seconds) and None,
    )
    return Desk(teller, table, topics, clock)


@pytest.fixture
def desk() -> Desk:
    return desk_with(Bundle())


@pytest.fixture
def sns_is_down() -> Unavailable:
    return Unavailable("publishing to the page topic: InternalError")
