"""One sweep: recovery each time, reconciliation every few minutes, a sign of life always."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.errors import Unavailable
from incidentio.core.ids import iso
from incidentio.core.incident import Change, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Write
from incidentio.core.routing import Routing
from incidentio.core.severity import Severity
from incidentio.detect.sweep import BEAT, sweep
from tests.fakes import FakeClock, FakeTable
from tests.make import NOW, an_incident


class FakeReconciliation:
    def __init__(self) -> None:
        self.runs = 0
        self.broken = False

    def run(self) -> int:
        self.runs += 1
        if self.broken:
            raise Unavailable("throttled")
        return 3


class FakeQueue:
    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.broken = False

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> None:
        if self.broken:
            raise Unavailable("throttled")
        self.bodies.append(json.loads(body))


def once(
    table: FakeTable, clock: FakeClock, reconciliation: FakeReconciliation, queue: FakeQueue | None = None
) -> dict[str, int]:
    five = timedelta(minutes=5)
    return sweep(table, Routing(), reconciliation, queue or FakeQueue(), every=five, clock=clock)  # type: ignore[arg-type]


def test_reconciles_at_first_and_then_every_five_minutes() -> None:
    table, clock, reconciliation = FakeTable(), FakeClock(), FakeReconciliation()
    missed = []
    for _ in range(11):
        missed.append(once(table, clock, reconciliation)["missed"])
        clock.advance(minutes=1)
    assert missed == [3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3]


def test_the_sign_of_life_is_there_even_when_a_part_fails_and_the_part_is_tried_again() -> None:
    table, clock, reconciliation = FakeTable(), FakeClock(), FakeReconciliation()
    reconciliation.broken = True
    with pytest.raises(Unavailable):
        once(table, clock, reconciliation)
    assert table.records[BEAT] == {"at": "2026-03-01T12:00:00.000Z", "heartbeat_at": "2026-03-01T12:00:00.000Z"}
    reconciliation.broken = False
    clock.advance(minutes=1)
    assert once(table, clock, reconciliation) == {"recovered": 0, "missed": 3, "storms_ended": 0}
    assert table.records[BEAT]["reconciled_at"] == "2026-03-01T12:01:00.000Z"


def test_a_sweep_with_too_much_to_recover_leaves_the_rest_and_still_reconciles() -> None:
    table, clock, reconciliation = FakeTable(), FakeClock(), FakeReconciliation()
    for n in range(3):
        incident = an_incident(id=f"INC-00000{n}", severity=Severity.SEV3, triaged_at=NOW, ok_since=NOW)
        table.commit(recorded(incident, "IncidentTriggered", actor=SYSTEM, at=NOW, text="opened"))
    clock.advance(minutes=6)
    commit = table.commit

    def slow(change: Change, *writes: Write) -> None:
        clock.advance(seconds=20)
        commit(change, *writes)

    table.commit = slow  # type: ignore[method-assign]
    assert once(table, clock, reconciliation) == {"recovered": 2, "missed": 3, "storms_ended": 0}
    assert once(table, clock, reconciliation)["recovered"] == 1


def test_a_heartbeat_is_sent_every_five_minutes_and_again_at_once_where_it_failed() -> None:
    table, clock, queue = FakeTable(), FakeClock(), FakeQueue()
    sent = []
    for _ in range(11):
        once(table, clock, FakeReconciliation(), queue)
        sent.append(len(queue.bodies))
        clock.advance(seconds=59.9)
    assert sent == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]
    assert {body["detail"]["dedup_key"] for body in queue.bodies} == {"incidentio:heartbeat"}
    queue.broken = True
    clock.advance(minutes=5)
    with pytest.raises(Unavailable):
        once(table, clock, FakeReconciliation(), queue)
    queue.broken = False
    clock.advance(minutes=1)
    once(table, clock, FakeReconciliation(), queue)
    assert len(queue.bodies) == 4


def test_a_reconciliation_for_which_there_is_no_time_takes_no_sign_of_life_with_it() -> None:
    class TimedOut(BaseException):
        """Lambda ends the process."""

    class Endless(FakeReconciliation):
        def run(self) -> int:
            raise TimedOut

    table, clock, queue = FakeTable(), FakeClock(), FakeQueue()
    for _ in range(3):
        with pytest.raises(TimedOut):
            once(table, clock, Endless(), queue)
        assert table.records[BEAT] == {"at": iso(clock()), "heartbeat_at": iso(NOW)}
        clock.advance(minutes=1)
    assert len(queue.bodies) == 1
