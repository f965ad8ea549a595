"""Incidents whose every signal is ok end by themselves, or stop paging, after `stable_for`."""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record
from incidentio.core.routing import Routing
from incidentio.core.severity import Severity
from incidentio.detect.recovery import recover
from tests.fakes import FakeClock, FakeTable
from tests.make import ALICE, NOW, an_incident

STABLE = timedelta(minutes=5)


def stored(table: FakeTable, **fields: Any) -> str:
    incident = an_incident(triaged_at=NOW, members=1, told_episode=1, **{"ok_since": NOW, **fields})
    table.commit(recorded(incident, "IncidentTriggered", actor=SYSTEM, at=NOW, text="opened"))
    table.write(Put(Record(member_key(incident.id, "key"), {"dedup_key": "key"})))
    table.write(Put(Record(pointer_key("key"), {"incident_id": incident.id, "open": True})))
    return incident.id


@pytest.mark.parametrize(
    ("severity", "status", "pointing"),
    [
        (Severity.SEV1, Status.MITIGATED, True),
        (Severity.SEV2, Status.MITIGATED, True),
        (Severity.SEV3, Status.RESOLVED, False),
        (Severity.SEV5, Status.RESOLVED, False),
    ],
)
def test_after_stable_for(severity: Severity, status: Status, pointing: bool) -> None:
    table = FakeTable()
    id = stored(table, severity=severity)
    assert recover(table, Routing(), NOW + STABLE) == (1, 0)
    assert table.incident(id).status is status
    assert table.records[pointer_key("key")]["open"] is pointing
    entry = table.entries[id][-1]
    assert (entry.actor, "every signal has been ok for 5m" in entry.text) == (SYSTEM, True)
    assert recover(table, Routing(), NOW + 2 * STABLE) == (0, 0)


@pytest.mark.parametrize("fields", [{"ok_since": None}, {"status": Status.CANCELLED}, {"ok_since": NOW}])
def test_not_before_and_not_otherwise(fields: dict[str, Any]) -> None:
    table = FakeTable()
    id = stored(table, severity=Severity.SEV3, **fields)
    assert recover(table, Routing(), NOW + STABLE - timedelta(seconds=1)) == (0, 0)
    assert table.types(id) == ["IncidentTriggered"]


def test_a_mitigated_incident_whose_severity_rose_is_left_to_a_person_and_asks_once() -> None:
    table = FakeTable()
    id = stored(table, severity=Severity.SEV1, status=Status.MITIGATED)
    assert recover(table, Routing(), NOW + STABLE) == (1, 0)
    assert (table.incident(id).status, table.incident(id).ok_since) == (Status.MITIGATED, None)
    assert "a person resolves a SEV1" in table.entries[id][-1].text
    assert recover(table, Routing(), NOW + 2 * STABLE) == (0, 0)


def test_a_signal_that_fires_in_the_last_moment_wins() -> None:
    table = FakeTable()
    id = stored(table, severity=Severity.SEV3)

    def fires() -> None:
        change = recorded(table.incident(id), "SignalJoined", actor=SYSTEM, at=NOW, text="again", ok_since=None)
        table.commit(change)

    table.before_commit.append(fires)
    recover(table, Routing(), NOW + STABLE)
    assert table.incident(id).status is Status.TRIGGERED


def test_one_that_cannot_be_moved_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    table = FakeTable()
    stored(table, severity=Severity.SEV3)
    good = stored(table, id="INC-BBBBBB", severity=Severity.SEV3)
    commit = table.commit

    def failing(change: Change, *writes: Any) -> None:
        if change.incident.id != good:
            raise ConnectionError
        commit(change, *writes)

    monkeypatch.setattr(table, "commit", failing)
    assert recover(table, Routing(), NOW + STABLE) == (1, 1)
    assert table.incident(good).status is Status.RESOLVED


def test_what_a_person_mitigated_while_it_was_recovering_still_ends_by_itself() -> None:
    table = FakeTable()
    id = stored(table, severity=Severity.SEV3)
    amend(table, id, lambda i: lifecycle.mitigate(i, actor=ALICE, at=NOW + timedelta(minutes=1)))
    assert recover(table, Routing(), NOW + STABLE) == (1, 0)
    assert table.incident(id).status is Status.RESOLVED


def test_what_is_due_for_others_does_not_keep_it_from_the_rest_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    table, clock = FakeTable(), FakeClock(NOW + 2 * STABLE)
    paged: dict[str, Any] = {"last_paged_at": NOW, "repeat_seconds": 300, "ok_since": None}
    for n in range(20):
        stored(table, id=f"INC-{n:06}", **paged)
    good = [stored(table, id=f"INC-{letter * 6}", severity=Severity.SEV3) for letter in "AZ"]
    read = table.incident

    def slowly(incident_id: str) -> Incident:
        clock.advance(seconds=5)
        return read(incident_id)

    monkeypatch.setattr(table, "incident", slowly)
    for _ in range(6):
        recover(table, Routing(), clock.advance(minutes=1), clock)
    assert {read(id).status for id in good} == {Status.RESOLVED}
