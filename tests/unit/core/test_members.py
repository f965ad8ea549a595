"""Pointers follow their incident: closed with it, opened with it, moved with it."""

from datetime import UTC, datetime

from incidentio.core.incident import Incident
from incidentio.core.members import (
    MAX_WRITES,
    closing,
    member_key,
    moving_writes,
    pointer_key,
    pointers_of,
    promoting_writes,
    reopening,
)
from incidentio.core.ports import Put, Record, Update
from incidentio.core.severity import Severity
from tests.fakes import FakeTable

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def incident(id: str, members: int) -> Incident:
    return Incident(
        id=id, title="x", severity=Severity.SEV3, impact_started_at=NOW, detected_at=NOW, members=members, firing=1
    )


def with_members(table: FakeTable, id: str, keys: list[str], *, states: dict[str, str] | None = None) -> None:
    for key in keys:
        state = (states or {}).get(key, "firing")
        table.write(Put(Record(member_key(id, key), {"dedup_key": key, "state": state})))
        pointer = {"incident_id": id, "open": True, "state": state, "mode": "monitor", "fence": "f", "count": 7}
        table.write(Put(Record(pointer_key(key), pointer)))


def test_ending_an_incident_closes_its_pointers_and_keeps_their_fences_and_counts() -> None:
    table = FakeTable()
    with_members(table, "INC-AAAAAA", ["a", "b"])
    table.write(*closing(table, incident("INC-AAAAAA", 2)))
    for key in ("a", "b"):
        pointer = table.records[pointer_key(key)]
        assert (pointer["open"], pointer["fence"], pointer["count"]) == (False, "f", 7)


def test_an_incident_of_a_person_has_nothing_to_close_and_reads_nothing() -> None:
    table = FakeTable()
    assert closing(table, incident("INC-AAAAAA", 0)) == []
    assert table.calls == 0


def test_members_beyond_one_transaction_close_ahead_of_it() -> None:
    table = FakeTable()
    keys = [f"k{n}" for n in range(2 * MAX_WRITES + 5)]
    with_members(table, "INC-AAAAAA", keys)
    rest = closing(table, incident("INC-AAAAAA", len(keys)))
    assert len(rest) == MAX_WRITES
    assert sum(not table.records[pointer_key(k)]["open"] for k in keys) == MAX_WRITES + 5
    table.write(*rest)
    assert not any(table.records[pointer_key(k)]["open"] for k in keys)


def test_reopening_counts_what_fires_and_leaves_signals_of_a_newer_incident_alone() -> None:
    table = FakeTable()
    with_members(table, "INC-AAAAAA", ["a", "b", "c"], states={"b": "ok"})
    table.write(*closing(table, incident("INC-AAAAAA", 3)))
    table.write(Update(pointer_key("c"), {"incident_id": "INC-BBBBBB", "open": True}))
    writes, firing = reopening(table, incident("INC-AAAAAA", 3))
    table.write(*writes)
    assert firing == 1
    assert [table.records[pointer_key(k)]["open"] for k in "ab"] == [True, True]
    assert table.records[pointer_key("c")]["incident_id"] == "INC-BBBBBB"


def test_merged_signals_belong_to_the_target() -> None:
    table = FakeTable()
    with_members(table, "INC-AAAAAA", ["a"])
    target = incident("INC-BBBBBB", 0)
    member = {"dedup_key": "a", "state": "firing"}
    table.write(*moving_writes([member], pointers_of(table, [member]), source="INC-AAAAAA", target=target))
    assert member_key("INC-AAAAAA", "a") not in table.records
    assert table.records[member_key("INC-BBBBBB", "a")] == {"dedup_key": "a", "state": "firing"}
    pointer = table.records[pointer_key("a")]
    assert (pointer["incident_id"], pointer["open"], pointer["mode"]) == ("INC-BBBBBB", True, "live")


def test_promotion_is_known_at_the_pointers() -> None:
    table = FakeTable()
    with_members(table, "INC-AAAAAA", ["a"])
    table.write(*promoting_writes([{"dedup_key": "a"}]))
    assert table.records[pointer_key("a")]["mode"] == "live"
