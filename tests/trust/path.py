"""The way of an alarm in one process: our own use cases on our own adapters, with queues, stream and bus around them.

What AWS promises about delivery is kept here, the uncomfortable side of it: a batch whose worker died comes back whole,
the stream starts again where it stopped, the bus repeats and reorders, and time passes before anything comes back.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from incidentio.aws.alarm_tags import CloudWatchTags
from incidentio.aws.attributes import from_item
from incidentio.aws.outbox.publish import publish
from incidentio.aws.queue import SqsQueue
from incidentio.aws.table import DynamoTable
from incidentio.aws.topics import SnsTopics
from incidentio.communicate.batch import handle
from incidentio.communicate.tell import Teller
from incidentio.core.attachment import Attachment
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from incidentio.core.errors import IncidentioError
from incidentio.core.events import NOTIFYING, RELEASING, SOURCE, TRIAGED
from incidentio.core.ids import iso
from incidentio.core.members import pointer_key
from incidentio.core.routing import Routing
from incidentio.core.timeline import first_broken_link
from incidentio.detect.recovery import recover
from incidentio.detect.storm import watch_storm
from incidentio.ingest.batch import Batch
from incidentio.ingest.intake import Intake
from incidentio.triage.enrich import enrich
from tests.trust.cloud import Clients, Cloud, Killed, safe

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROUTING = Routing.model_validate({"repeat_interval": "2d"})  # a repeat would be another page, and none is due here
POISON = "this is no signal"
_TOPIC = "arn:aws:sns:eu-west-1:111122223333:signals"
_QUEUES = ("ingest_queue", "communicate_queue", "to_triage")
_AT_ONCE = 2
_COMES_BACK = timedelta(seconds=35)
_DELIVERIES = 30
_ASYNCHRONOUS_TRIES = 3


@dataclass
class Delivery:
    """One message or event on its way since `sent_at`; `tries` so far."""

    id: str
    body: str
    sent_at: datetime
    tries: int = 0

    def record(self) -> dict[str, Any]:
        """As the queue hands it to a function."""
        sent = str(round(self.sent_at.timestamp() * 1000))
        return {"messageId": self.id, "body": self.body, "attributes": {"SentTimestamp": sent}}


@dataclass
class Path:
    """One deployment. `seed` decides in which order things are delivered, and what is delivered twice.

    `first_calls` are the numbers of those calls with which a worker began.
    """

    clients: Clients
    seed: int
    bundle: Bundle = field(default_factory=lambda: Bundle(catalog=Catalog(routing=ROUTING)))
    now: datetime = START
    ingest_queue: list[Delivery] = field(default_factory=list)
    communicate_queue: list[Delivery] = field(default_factory=list)
    to_triage: list[Delivery] = field(default_factory=list)
    dead: list[Delivery] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    deaths: int = 0
    first_calls: list[int] = field(default_factory=list)
    _at_work: list[Callable[[], None]] = field(default_factory=list)
    _hidden: list[tuple[list[Delivery], Delivery]] = field(default_factory=list)
    _read: int = 0
    _routed: int = 0
    _ids: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.cloud.overtake = self._overtake

    @property
    def cloud(self) -> Cloud:
        return self.clients.cloud

    @property
    def table(self) -> DynamoTable:
        return DynamoTable(self.clients["dynamodb"], "incidents", self.bundle.catalog.routing, pause=self.pauses.append)

    def forked(self, cloud: Cloud, seed: int) -> "Path":
        """Another one that goes on from here in `cloud`; nothing may be on its way."""
        assert not any(getattr(self, queue) for queue in _QUEUES)
        assert not self._hidden
        self.clients.cloud = cloud
        return replace(
            self,
            seed=seed,
            ingest_queue=[],
            communicate_queue=[],
            to_triage=[],
            dead=[],
            pauses=[],
            _at_work=[],
            _hidden=[],
        )

    def send(self, *bodies: str) -> None:
        self.ingest_queue += [self._delivery(body) for body in bodies]

    def settle(self, *, sweeps: int = 1) -> None:
        """Deliver until nothing is left, with the sweep's looks in between and afterwards."""
        for _ in range(sweeps):
            self._drain()
            self.now += timedelta(minutes=1)
            self.communicate_queue.append(self._delivery(json.dumps({"sweep": "communicate"})))
            self._alive(self._sweep)
        self._drain()

    def replay(self) -> None:
        """Every event the bus ever saw, once more."""
        self._routed = 0
        self._drain()

    def _drain(self) -> None:
        for _ in range(2000):
            if not self._one_delivery():
                return
        raise AssertionError("it does not come to rest")

    def _one_delivery(self) -> bool:
        """To any worker that something waits for; False when nothing does. The stream has one reader at a time."""
        self._route()
        ways = [way for way in (self._ingest, self._publish, self._triage, self._tell) if self._waiting(way)]
        ways = [way for way in ways if way != self._publish or way not in self._at_work]
        if not ways:
            return False
        self._at_work.append(self.chance.choice(ways))
        self._at_work[-1]()
        self._at_work.pop()
        self._come_back()
        return True

    def _overtake(self) -> None:
        """Another worker's turn, while one or two stand still in the middle of theirs."""
        if len(self._at_work) <= _AT_ONCE:
            self._one_delivery()

    def _come_back(self) -> None:
        """What failed is delivered again, once everybody at work is done: a worker's time is shorter than any wait."""
        if self._hidden and not self._at_work:
            self.now += _COMES_BACK
            for queue, delivery in self._hidden:
                queue.append(delivery)
            self._hidden.clear()

    def _waiting(self, way: Callable[[], None]) -> bool:
        waits: dict[Callable[[], None], bool] = {
            self._ingest: bool(self.ingest_queue),
            self._publish: self._read < len(self._entries()),
            self._triage: bool(self.to_triage),
            self._tell: bool(self.communicate_queue),
        }
        return waits[way]

    # --- workers

    def _sweep(self) -> None:
        routing = self.bundle.catalog.routing
        with suppress(IncidentioError):  # the next sweep looks again
            recover(self.table, routing, self.now)
            watch_storm(self.table, routing, self.now)

    def _ingest(self) -> None:
        batch = self._some(self.ingest_queue)
        worker = Batch(
            intake=Intake(self.table, self.bundle.catalog, self._clock, self._new_id),
            dead_letters=SqsQueue(self.clients["sqs"], "https://sqs.eu-west-1.amazonaws.com/111122223333/dead"),
            attachment=Attachment(own_prefix="incidentio", catalog=self.bundle.catalog),
            clock=self._clock,
        )
        self._from_queue(self.ingest_queue, batch, lambda records: worker.handle(records).failed)

    def _publish(self) -> None:
        entries = self._entries()
        upto = self.chance.randint(self._read + 1, len(entries))
        records = [
            {"dynamodb": {"NewImage": entry, "SequenceNumber": str(number)}}
            for number, entry in enumerate(entries[self._read : upto], start=self._read)
        ]
        failed: list[str | None] = []
        if self._alive(lambda: failed.append(publish(self.clients["events"], "bus", records))):
            self._read = int(failed[0]) if failed[0] is not None else upto

    def _triage(self) -> None:
        (delivery,) = self._some(self.to_triage, at_most=1)
        incident_id = json.loads(delivery.body)["detail"]["incident_id"]

        def work() -> None:
            tags = CloudWatchTags(self.clients["cloudwatch"])
            enrich(incident_id, table=self.table, alarm_tags=tags, bundle=self.bundle, clock=self._clock)

        try:
            done = self._alive(work)
        except Exception:  # noqa: BLE001 - whatever it was, Lambda tries again
            done = False
        if not done:
            self._again(self.to_triage, delivery, _ASYNCHRONOUS_TRIES)

    def _tell(self) -> None:
        batch = self._some(self.communicate_queue)
        topics = {name: f"arn:aws:sns:eu-west-1:111122223333:{name}" for name in ("page", "ticket", "test")}
        teller = Teller(
            table=self.table,
            topics=SnsTopics(self.clients["sns"], topics),
            bundle=self.bundle,
            api_url="https://api.example.com",
            clock=self._clock,
            pause=self._pause,
        )
        self._from_queue(self.communicate_queue, batch, lambda records: handle(records, teller).failed)

    # --- delivery

    def _from_queue(
        self, queue: list[Delivery], batch: Sequence[Delivery], work: Callable[[list[dict[str, Any]]], Sequence[str]]
    ) -> None:
        records = [delivery.record() for delivery in batch]
        failed: list[str] = [delivery.id for delivery in batch]

        def worked() -> None:
            failed[:] = work(records)

        self._alive(worked)
        for delivery in batch:
            if delivery.id in failed:
                self._again(queue, delivery, _DELIVERIES)

    def _again(self, queue: list[Delivery], delivery: Delivery, at_most: int) -> None:
        delivery.tries += 1
        if delivery.tries >= at_most:
            self.dead.append(delivery)
        else:
            self._hidden.append((queue, delivery))

    def _alive(self, work: Callable[[], object]) -> bool:
        """Whether the worker lived to the end of it."""
        self.cloud.in_flight = None
        self.first_calls.append(len(self.cloud.calls) + 1)
        try:
            work()
        except Killed:
            self.deaths += 1
            return False
        return True

    def _route(self) -> None:
        """From the bus to whoever listens; one in five is delivered twice, and in any order."""
        for event in self.cloud.bus[self._routed :]:
            body = json.dumps({"source": SOURCE, "detail-type": event["type"], "detail": event})
            for _ in range(1 + (self.chance.random() < 0.2)):
                if event["type"] in TRIAGED:
                    self.to_triage.append(self._delivery(body))
                if event["type"] in RELEASING:
                    self.ingest_queue.append(self._delivery(body))
                if event["type"] in NOTIFYING:
                    self.communicate_queue.append(self._delivery(body))
        self._routed = len(self.cloud.bus)

    def _some(self, queue: list[Delivery], at_most: int = 10) -> list[Delivery]:
        self.chance.shuffle(queue)
        taken = queue[: self.chance.randint(1, min(at_most, len(queue)))]
        del queue[: len(taken)]
        return taken

    def _entries(self) -> list[dict[str, Any]]:
        return [item for item in self.cloud.dynamo.stream if item["sk"]["S"].startswith("TL#")]

    def _delivery(self, body: str) -> Delivery:
        self._ids += 1
        return Delivery(f"m{self._ids}", body, self.now)

    def _clock(self) -> datetime:
        return self.now

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    def _new_id(self) -> str:
        self._ids += 1
        return "INC-" + "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[self._ids // 32**n % 32] for n in range(5, -1, -1))


# --- what is sent, and what must be there afterwards


def alarm(name: str, state: str, second: int) -> str:
    """An alarm's action through the topic, as the queue gets it: live."""
    message = {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}",
        "AWSAccountId": "111122223333",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": iso(START - timedelta(hours=1) + timedelta(seconds=second)),
        "Trigger": {"MetricName": "Errors", "Namespace": "AWS/Lambda", "Dimensions": []},
    }
    return json.dumps({"Type": "Notification", "TopicArn": _TOPIC, "Message": json.dumps(message)})


def signal(key: str, second: int, **fields: Any) -> str:
    detail = {
        "incidentio": "signal/v1",
        "dedup_key": key,
        "state": "firing",
        "title": f"{key} fails",
        "changed_at": iso(START - timedelta(hours=1) + timedelta(seconds=second)),
        **fields,
    }
    return json.dumps({"detail-type": "Signal", "source": "tests", "detail": detail})


@dataclass(frozen=True)
class Expected:
    """What is right for certain signals.

    `of`: dedup key → the incident it must be in, by any name: equal names are one incident. `calls`: how often people
    may have been called to it, once where nothing else is said. `emptied`: incidents whose signals all went elsewhere.
    `entries`: how many of a type there are in all timelines. `changes`: records of changes.
    """

    of: Mapping[str, str]
    calls: Mapping[str, Collection[int]] = field(default_factory=dict)
    emptied: int = 0
    entries: Mapping[str, int] = field(default_factory=dict)
    changes: int = 0


def unharmed(path: Path, sent: Sequence[str], expected: Expected | None = None) -> None:
    """Nothing lost, nothing doubled: the promises of docs/architecture.md, read off what AWS was left with.

    `sent` are the bodies that were put into the ingest queue, each of which is accepted. Without `expected` each dedup
    key that fires is an incident of its own.
    """
    cloud, said = path.cloud, f"seed {path.seed}, {path.cloud.struck}"
    cloud.hazard = safe
    assert not path._at_work
    items = {key: from_item(item) for key, item in cloud.dynamo.items.items()}
    incidents = [pk for pk, sk in items if sk == "SUMMARY"]
    firing = Counter(key for key, state in map(_key_and_state, sent) if state == "firing")
    right = expected or Expected({key: key for key in firing})

    assert not path.dead, f"given up: {path.dead} ({said})"
    members = [(items[(pk, sk)]["dedup_key"], pk) for pk, sk in items if sk.startswith("MEMBER#")]
    assert sorted(key for key, _ in members) == sorted(right.of), f"lost, or counted twice: {members} ({said})"
    together = {(right.of[key], pk) for key, pk in members}
    assert len(together) == len({name for name, _ in together}) == len({pk for _, pk in together}), (
        f"put together wrongly: {members} ({said})"
    )
    assert len(incidents) == len(together) + right.emptied, f"incidents doubled or lost: {incidents} ({said})"
    for key, pk in members:
        pointer = items[_pointer(key)]
        assert f"INC#{pointer['incident_id']}" == pk, f"{key} points elsewhere ({said})"
        assert pointer["count"] + pointer["stale"] >= firing[key], f"{key} lost signals ({said})"

    poison = {request["MessageBody"] for request in cloud.sent}
    assert poison == {body for body in sent if body == POISON}, f"dead letters: {poison} ({said})"
    told = {event["id"] for event in cloud.bus}
    names = {pk: name for name, pk in together}
    types: Counter[str] = Counter()
    for pk in incidents:
        incident = path.table.incident(pk.removeprefix("INC#"))
        entries = path.table.timeline(incident.id)
        types.update(entry.type for entry in entries)
        assert first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash) is None, said
        assert {f"{incident.id}-{entry.seq}" for entry in entries} <= told, f"entries were never told ({said})"
        assert incident.is_open == (pk in names), f"{incident.id} is {incident.status} ({said})"
        own = [items[_pointer(key)]["state"] for key, of in members if of == pk]
        assert (incident.members, incident.firing) == (len(own), own.count("firing")), f"miscounted ({said})"
        calls = {entry.data["page_id"] for entry in entries if entry.type == "PagePublished" and entry.data["call"]}
        if pk in names:
            assert len(calls) in right.calls.get(names[pk], (1,)), f"{incident.id} was called {calls} ({said})"
    assert {type: types[type] for type in right.entries} == dict(right.entries), said
    assert sum(pk.startswith("CHANGES#") for pk, _ in items) == right.changes, said

    pages = Counter(request["attributes"]["page_id"] for request in cloud.published)
    allowed = Counter(cloud.may_repeat)
    for page_id, times in pages.items():
        assert times <= 1 + allowed[page_id], f"{page_id} was published {times} times ({said})"
    recorded = {body["page_id"] for (_, sk), body in items.items() if sk.startswith("PAGE#") and "page_id" in body}
    assert pages.keys() == recorded, f"published and recorded differ ({said})"


def _pointer(dedup_key: str) -> tuple[str, str]:
    key = pointer_key(dedup_key)
    return key.pk, key.sk


def _key_and_state(body: str) -> tuple[str, str]:
    if body == POISON:
        return "", "poison"
    document = json.loads(body)
    if "Message" in document:
        message = json.loads(document["Message"])
        return message["AlarmArn"], {"ALARM": "firing", "OK": "ok"}[message["NewStateValue"]]
    told = document.get("signal") or document.get("detail") or {}
    if "alarmName" in told:
        return document["resources"][0], {"ALARM": "firing"}[told["state"]["value"]]
    return told.get("dedup_key", ""), told.get("state", "")
