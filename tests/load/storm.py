"""Storms against the deployed app: what is lost, what is doubled, how often people are told, and how soon it is over.

Pages are counted at a subscriber of the topics, signals in the table's pointers, both with the account's own rights.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incidentio.aws.attributes import from_item
from incidentio.core.members import pointer_key
from infra.local import target as local
from infra.local.deployment import Deployable
from tests.e2e.world import World, eventually
from tests.load.rows import Row, row
from tests.load.workers import Workers, growth

STORM = 10_000
_AT_ONCE = 10
_SENDERS = 4
_MINUTES = 5
_LEAST_MINUTES = 3
_ALARMS = 500
_DRAINED_WITHIN = 600
_CATALOG = """
route:
  receiver: page
  group_by: [environment, service]
  repeat_interval: 1h
triage_timeout: 60s
"""


def measure(*, minutes: int = _MINUTES) -> Iterator[Row]:
    """A storm of one root, one of fifty, and ten thousand signals a minute with all workers killed after the first.

    Raises:
        ValueError: too few minutes to see memory grow in what was started after the kill.
    """
    if minutes < _LEAST_MINUTES:
        raise ValueError(f"{minutes} minutes: at least {_LEAST_MINUTES} are needed")
    for roots, name in ((1, "publishes_per_10k_storm_1_root"), (50, "publishes_per_10k_storm_50_roots")):
        with _target(roots) as world:
            storm = Storm(world)
            storm.send([alarm_of(n % roots, n) for n in range(STORM)])
            storm.settle()
            yield row(name, len(storm.pages))
            yield row(name.replace("publishes", "seconds_to_first_publish"), storm.first_page_after)
            yield row(f"storm_lost.{roots}_roots", storm.lost())
    with _target(_ALARMS // 10) as world:
        yield from _sustained(world, minutes)


def lost_by_kill(*, signals: int = STORM) -> int:
    """What is lost of a storm of fifty roots when all of ingest's workers are killed half way: after the first page."""
    with _target(50) as world:
        storm, alarms = Storm(world), [alarm_of(n % 50, n) for n in range(signals)]
        storm.send(alarms[: signals // 2])
        eventually(storm.has_told, "the first page", seconds=_DRAINED_WITHIN)
        _workers(world).kill()
        storm.send(alarms[signals // 2 :])
        storm.settle()
        return storm.lost()


def _workers(world: World) -> Workers:
    return Workers("INGEST_DLQ_URL", world.outputs["IngestDlqUrl"])


def _sustained(world: World, minutes: int) -> Iterator[Row]:
    storm, workers = Storm(world), _workers(world)
    names = [alarm_of(n % (_ALARMS // 10), n) for n in range(_ALARMS)]
    memory: list[dict[int, float]] = []
    for minute in range(minutes):
        started = time.monotonic()
        for part in range(STORM // _ALARMS):
            storm.send(names, state="OK" if (minute, part) == (minutes - 1, STORM // _ALARMS - 1) else "ALARM")
            time.sleep(max(0.0, started + (part + 1) * 60 * _ALARMS / STORM - time.monotonic()))
        memory.append(workers.megabytes())
        if minute == 0:
            workers.kill()
    yield row("storm_drain_s", storm.drained())
    storm.settle()
    yield row("storm_lost", storm.lost())
    yield row("storm_duplicate_incidents", storm.doubled())
    yield row("storm_duplicate_pages", len(storm.pages) - len({page["attributes"]["page_id"] for page in storm.pages}))
    yield row("storm_signals_per_minute", storm.sent_count / minutes)
    yield row("storm_worker_memory_growth", growth(memory[1], memory[-1]))  # of those that came after the kill


def alarm_of(root: int, n: int) -> str:
    """The `n`-th alarm of a service that has the trouble."""
    return f"root-{root:02d}-{n:05d}"


@dataclass
class Storm:
    """What was sent, and what came of it."""

    world: World
    sent: Counter[str] = field(default_factory=Counter)
    pages: list[dict[str, Any]] = field(default_factory=list)
    started: datetime | None = None

    @property
    def first_page_after(self) -> float:
        """Seconds from the first signal to the first page, by the clock of SNS."""
        first = min(page["at"] for page in self.pages)
        return (first - self.started).total_seconds() if self.started else 0.0

    @property
    def sent_count(self) -> int:
        return self.sent.total()

    def send(self, alarms: Sequence[str], *, state: str = "ALARM") -> None:
        """One signal of each alarm, as fast as the queue takes them."""
        now = datetime.now(UTC)
        self.started = self.started or now
        bodies = [json.dumps(self.world.state_change(alarm, state, at=now)) for alarm in alarms]
        url, sqs = self.world.outputs["IngestQueueUrl"], self.world.client("sqs")

        def batch(start: int) -> None:
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[start : start + _AT_ONCE])]
            answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
            assert not answer.get("Failed"), answer

        with ThreadPoolExecutor(_SENDERS) as pool:
            pending = {pool.submit(batch, start) for start in range(0, len(bodies), _AT_ONCE)}
            while pending:
                done, pending = wait(pending, timeout=0.2)
                for each in done:
                    each.result()
                self._look()
        self.sent.update(self.world.alarm_arn(alarm) for alarm in alarms)

    def has_told(self) -> bool:
        self._look()
        return bool(self.pages)

    def drained(self) -> float:
        """Seconds until the ingest queue is empty."""
        began = time.monotonic()
        eventually(self._is_empty, "an empty ingest queue", seconds=_DRAINED_WITHIN)
        return time.monotonic() - began

    def settle(self) -> None:
        """Until every signal is counted and nobody is told anything new."""
        self.drained()
        eventually(self._all_counted, "every signal counted", seconds=_DRAINED_WITHIN)
        quiet_since, seen = time.monotonic(), -1
        while time.monotonic() - quiet_since < 15:
            self._look()
            if len(self.pages) != seen or not self._is_empty():
                quiet_since, seen = time.monotonic(), len(self.pages)
            time.sleep(0.5)

    def lost(self) -> int:
        """Signals that were accepted and are counted nowhere."""
        counted = {p["dedup_key"]: p["count"] + p["stale"] for p in self._pointers()}
        return sum(max(0, sent - counted.get(arn, 0)) for arn, sent in self.sent.items())

    def _all_counted(self) -> bool:
        """Reads the whole table, which keeps the emulator from all else: so not often."""
        time.sleep(2)
        return self._is_empty() and not self.lost()

    def doubled(self) -> int:
        """Signals sent that are members of more than one incident."""
        homes: dict[str, set[str]] = {}
        for item in self._items("MEMBER#"):
            if item["dedup_key"] in self.sent:  # heartbeats are incidents of their own, one after the other
                homes.setdefault(item["dedup_key"], set()).add(item["pk"])
        return sum(len(home) - 1 for home in homes.values())

    def _pointers(self) -> Iterator[dict[str, Any]]:
        keys = {pointer_key(arn).pk: arn for arn in self.sent}
        for item in self._items("POINTER"):
            if arn := keys.get(item["pk"]):
                yield {"dedup_key": arn, "count": item.get("count", 0), "stale": item.get("stale", 0)}

    def _items(self, sk: str) -> Iterator[dict[str, Any]]:
        pages = self.world.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(
            TableName=self.world.outputs["TableName"],
            FilterExpression="begins_with(sk, :sk)",
            ExpressionAttributeValues={":sk": {"S": sk}},
        ):
            yield from map(from_item, page["Items"])

    def _is_empty(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.world.outputs["IngestQueueUrl"]
        attributes = self.world.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return not any(int(attributes[name]) for name in names)

    def _look(self) -> None:
        heartbeats = self.world.outputs["TestTopicArn"]
        self.pages = [page for page in self.world.everything_told() if page["topic"] != heartbeats]


@contextmanager
def _target(services: int) -> Iterator[World]:
    """A target of its own whose catalogue knows that many services."""
    with tempfile.TemporaryDirectory(prefix="incidentio-storm-") as folder:
        catalog, home = Path(folder) / "catalog", Path(folder) / "state"
        catalog.mkdir()
        lines = [f'  root-{n:02d}: {{tier: 2, match: {{alarm_names: ["root-{n:02d}-*"]}}}}' for n in range(services)]
        (catalog / "services.yaml").write_text("\n".join(["services:", *lines]) + "\n")
        (catalog / "routing.yaml").write_text(_CATALOG)
        description = local.up(home=home, port=None, deployable=Deployable(catalog=catalog), say=lambda _line: None)
        try:
            yield World(description).listen()
        finally:
            local.down(home=home, port=None)
