"""The deployed system in one process and in simulated time: the same code behind the same doors, over memory.

What is left out acts on the world: playbooks and postmortems. What is assumed: people acknowledge a page, and
resolve what is mitigated, after a while (`People`).
"""

import heapq
import json
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count

from incidentio.cli.backtest.attached import Attached
from incidentio.cli.backtest.estate import Estate, History, StateChange
from incidentio.cli.backtest.events import message
from incidentio.communicate.batch import handle as communicate
from incidentio.communicate.tell import Teller
from incidentio.core.alarm import Alarm
from incidentio.core.amend import Decision, amend
from incidentio.core.attachment import Attachment
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Unavailable
from incidentio.core.events import NOTIFYING, RELEASING, SOURCE, TRIAGED, event_of
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.lifecycle import acknowledge, resolve
from incidentio.core.members import closing
from incidentio.core.memory import MemoryTable
from incidentio.core.person import Actor
from incidentio.core.ports import Write
from incidentio.core.quiet import held
from incidentio.core.routing import Routing
from incidentio.core.storm import RATE, parent_of
from incidentio.detect.reconcile import Reconciliation
from incidentio.detect.sweep import sweep
from incidentio.ingest.batch import Batch
from incidentio.ingest.intake import Intake
from incidentio.triage.enrich import enrich

TOPIC = "arn:aws:sns:::simulated-signals"
_MINUTE = timedelta(minutes=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PERSON = Actor(id="simulated/on-call", kind="person")


@dataclass(frozen=True)
class People:
    """How long after a page somebody acknowledges, and after the mitigation somebody resolves; None: never."""

    acknowledge_after: timedelta | None = timedelta(minutes=3)
    resolve_after: timedelta | None = timedelta(minutes=15)


class _Unheard:
    """Takes the heartbeats, which say nothing about history."""

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> None:
        pass


@dataclass
class Simulated:
    """What is there at the end. `steps`: signals by what ingest made of them.

    `ignored`: alarm → how many changes are none of our business, and why. `given_up`: what went to the dead letters.
    """

    table: MemoryTable
    steps: Counter[str] = field(default_factory=Counter)
    ignored: dict[str, tuple[int, str]] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)


def simulate(
    estate: Estate, history: History, bundle: Bundle, *, attached: Attached, own_prefix: str, people: People
) -> Simulated:
    """Play the whole period. The same estate and catalogue give the same result, ids included.

    Raises:
        Unavailable: the lanes refused something: a defect of ours.
    """
    world = _World(estate, history, bundle, attached=attached, own_prefix=own_prefix, people=people)
    with _quiet():
        world.run()
    return world.result


class _World:
    def __init__(
        self, estate: Estate, history: History, bundle: Bundle, *, attached: Attached, own_prefix: str, people: People
    ) -> None:
        self._estate, self._history, self._bundle = estate, history, bundle
        self._attached, self._people = attached, people
        self._now = estate.start
        self._cause, self._made = "", 0
        self._told_until: dict[str, int] = {}
        self._plans: list[tuple[datetime, int, str]] = []
        self._order = count()
        routing = bundle.catalog.routing
        self._table = _Outbox(routing)
        self.result = Simulated(self._table)
        self._attachment = Attachment(own_prefix=own_prefix, catalog=bundle.catalog)
        self._ingest = Batch(
            Intake(self._table, bundle.catalog, self._clock, self._new_id), self, self._attachment, self._clock
        )
        self._reconciliation = Reconciliation(
            self._table, self, self, self._attachment, topic_arn=TOPIC, function_arn="none in a simulation"
        )
        self._teller = Teller(
            table=self._table, topics=self, bundle=bundle, api_url="", clock=self._clock, pause=lambda _: None
        )

    def run(self) -> None:
        changes = deque(self._estate.changes)
        next_sweep = self._estate.start
        while next_sweep <= self._estate.end:
            person = self._plans[0][0] if self._plans else _NEVER
            change = changes[0].at if changes else _NEVER
            self._now = min(person, change, next_sweep)
            if self._now == person:
                self._act(heapq.heappop(self._plans)[2])
            elif self._now == change:
                self._deliver(changes.popleft())
            else:
                if self._now == self._estate.start or self._is_anything_due():
                    self._sweep()
                next_sweep += _MINUTE
            self._drain()

    # --- the lanes

    def is_muted(self, name: str) -> bool:  # noqa: ARG002
        """The history does not tell."""
        return False

    def _deliver(self, change: StateChange) -> None:
        self._cause, self._made = f"{change.arn}@{change.at.isoformat()}", 0
        if why := self._attachment.ignored(change.alarm):
            self.result.ignored[change.alarm] = (self.result.ignored.get(change.alarm, (0, ""))[0] + 1, why)
        configured = self._estate.by_name.get(change.alarm)
        attached = configured is not None and self._attached(configured.alarm)
        self._take([message(change, self._estate, attached=attached)])

    def _take(self, records: Sequence[Mapping[str, str]]) -> None:
        report = self._ingest.handle(records)
        self.result.steps += report.counts
        if report.failed:
            raise Unavailable(f"ingest handed back {', '.join(report.failed)}")

    def _sweep(self) -> None:
        self._cause, self._made = f"sweep@{self._now.isoformat()}", 0
        period = self._estate.end - self._estate.start + _MINUTE  # reconciled once, at the start
        routing = self._bundle.catalog.routing
        sweep(self._table, routing, self._reconciliation, _Unheard(), every=period, clock=self._clock)
        self._tell({"sweep": True})

    def _is_anything_due(self) -> bool:
        """Whether a sweep would find something to do: most minutes of two weeks have nothing."""
        under_way = parent_of(self._table.get(RATE)) or held(self._table)
        return bool(under_way or next(iter(self._table.due(self._now)), None))

    def _drain(self) -> None:
        """What the stream and the bus do: every new entry to those who listen."""
        while self._table.changed:
            incident_id = self._table.changed.pop(0)
            for entry in self._table.timeline(incident_id, after=self._told_until.get(incident_id, 0)):
                self._told_until[incident_id] = entry.seq
                if entry.type in TRIAGED:
                    enrich(
                        incident_id,
                        table=self._table,
                        alarm_tags=self._history,
                        bundle=self._bundle,
                        clock=self._clock,
                    )
                detail = event_of(entry).model_dump(mode="json")
                if entry.type in NOTIFYING:
                    self._tell({"detail": detail})
                if entry.type in RELEASING:
                    body = json.dumps({"source": SOURCE, "detail-type": entry.type, "detail": detail})
                    self._take([{"messageId": detail["id"], "body": body}])
                if entry.type == "IncidentMitigated" and self._people.resolve_after is not None:
                    self._plan(self._people.resolve_after, incident_id)

    def _tell(self, body: Mapping[str, object]) -> None:
        sent = {"SentTimestamp": str(round(self._now.timestamp() * 1000))}
        report = communicate([{"messageId": self._cause, "body": json.dumps(body), "attributes": sent}], self._teller)
        if report.failed:
            raise Unavailable(f"communicate handed back {', '.join(report.failed)}")

    # --- people

    def _plan(self, after: timedelta, incident_id: str) -> None:
        heapq.heappush(self._plans, (self._now + after, next(self._order), incident_id))

    def _act(self, incident_id: str) -> None:
        """Acknowledge what pages, resolve what has been mitigated for long enough."""
        self._cause, self._made = f"person@{self._now.isoformat()}", 0

        def decide(incident: Incident) -> Decision:
            # Whoever acknowledged is at work until it is over: forgetting it is not simulated.
            if incident.status is Status.TRIGGERED:
                change = acknowledge(incident, actor=_PERSON, at=self._now)
                return replace(change, incident=change.incident.model_copy(update={"worked_at": self._estate.end}))
            if incident.status is Status.ACKNOWLEDGED:
                return recorded(
                    incident, "NoteAdded", actor=_PERSON, at=self._now, text="at work", worked_at=self._estate.end
                )
            waited, since = self._people.resolve_after, incident.mitigated_at
            if incident.status is Status.MITIGATED and since and waited is not None and since + waited <= self._now:
                change = resolve(incident, actor=_PERSON, at=self._now)
                return change, closing(self._table, change.incident)
            return None

        amend(self._table, incident_id, decide)

    # --- what the lanes ask the world for

    def _clock(self) -> datetime:
        return self._now

    def _new_id(self) -> str:
        """From what led to it: a change of the rules that keeps an incident keeps its id as well."""
        self._made += 1
        digest = sha256(f"{self._cause}#{self._made}".encode()).digest()
        return "SIM-" + "".join(_BASE32[byte % 32] for byte in digest[:6])

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> None:
        """The dead letters."""
        self.result.given_up.append(f"{json.loads(body)['id']}: {(attributes or {}).get('reason', '')}")

    def send_all(self, bodies: Sequence[str]) -> None:
        """The ingest queue, for the sweeper."""
        for number, body in enumerate(bodies):
            self._cause, self._made = f"{json.loads(body)['resources'][0]}@start", 0
            self._take([{"messageId": f"start-{number}", "body": body}])
            self._drain()

    def firing(self) -> Iterable[Alarm]:
        """Alarms that fired before the period began."""
        for name in sorted(self._estate.firing_at_start()):
            if configured := self._estate.by_name.get(name):
                attached = self._attached(configured.alarm)
                yield replace(
                    configured.alarm, changed_at=self._estate.start, actions=(TOPIC,) if attached else (), reason=""
                )

    def publish(self, channel: str, *, subject: str, body: str, attributes: Mapping[str, str]) -> str:  # noqa: ARG002
        """The topics."""
        if channel == "page" and self._people.acknowledge_after is not None:
            self._plan(self._people.acknowledge_after, attributes["incident_id"])
        return attributes["page_id"]


class _Outbox(MemoryTable):
    """Remembers which incidents got new entries, as the stream would tell."""

    def __init__(self, routing: Routing) -> None:
        super().__init__(routing)
        self.changed: list[str] = []

    def commit(self, change: Change, *writes: Write) -> None:
        super().commit(change, *writes)
        self.changed.append(change.incident.id)


@contextmanager
def _quiet() -> Iterator[None]:
    """The lanes log every decision to standard output, which here is a report's."""
    before = os.environ.get("LOG_LEVEL")
    os.environ["LOG_LEVEL"] = "CRITICAL"
    try:
        yield
    finally:
        if before is None:
            del os.environ["LOG_LEVEL"]
        else:
            os.environ["LOG_LEVEL"] = before
