"""The tables in memory, which simulations and tests stand on, and the one on DynamoDB answer alike."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from incidentio.aws.table import DynamoTable
from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.ids import new_incident_id
from incidentio.core.incident import recorded
from incidentio.core.memory import MemoryTable
from incidentio.core.ports import ABSENT, AtMost, Delete, Filters, Key, Put, Record, Refused, Stale, Table, Update
from incidentio.core.routing import Routing
from incidentio.core.timeline import first_broken_link
from tests.e2e.world import World
from tests.make import ALICE, NOW, opened
from tests.trust.cloud import Clients, Cloud


@pytest.fixture(params=["memory", "answered in memory", "dynamodb"])
def table(request: pytest.FixtureRequest) -> Table:
    if request.param == "memory":
        return MemoryTable()
    if request.param == "answered in memory":
        return DynamoTable(Clients(Cloud())["dynamodb"], "incidents", Routing())
    world = World(request.getfixturevalue("target"))
    return DynamoTable(world.client("dynamodb"), _twin_of_the_deployed_table(world), Routing())


def _twin_of_the_deployed_table(world: World) -> str:
    """A table of the deployed shape whose stream nobody listens to: the app must not answer these incidents."""
    dynamodb = world.client("dynamodb")
    deployed = dynamodb.describe_table(TableName=world.outputs["TableName"])["Table"]
    index = deployed["GlobalSecondaryIndexes"][0]
    dynamodb.create_table(
        TableName=f"twin-{world.tag}",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=deployed["KeySchema"],
        AttributeDefinitions=deployed["AttributeDefinitions"],
        GlobalSecondaryIndexes=[{name: index[name] for name in ("IndexName", "KeySchema", "Projection")}],
    )
    return f"twin-{world.tag}"


@pytest.fixture
def service() -> str:
    """A service name of this test alone, so that lists hold nothing else."""
    return f"svc-{uuid.uuid4().hex[:8]}"


def a_key() -> Key:
    return Key(f"TEST#{uuid.uuid4().hex}", "A")


def test_an_incident_is_created_once(table: Table) -> None:
    change = opened(id=new_incident_id())
    table.commit(change)
    assert table.incident(change.incident.id) == change.incident
    with pytest.raises(Stale) as stale:
        table.commit(change)
    assert stale.value.current == change.incident


def test_a_refused_write_leaves_nothing_of_the_commit(table: Table) -> None:
    key, change = a_key(), opened(id=new_incident_id())
    table.write(Put(Record(key, {"owner": "x", "n": 1}), ABSENT))
    with pytest.raises(Refused) as refused:
        table.commit(change, Put(Record(key, {"owner": "y"}), ABSENT))
    assert (refused.value.key, refused.value.current) == (key, {"owner": "x", "n": 1})
    with pytest.raises(NotFound):
        table.incident(change.incident.id)


def test_a_stale_commit_tells_what_is_there_now(table: Table) -> None:
    first = opened(id=new_incident_id())
    table.commit(first)
    note = recorded(first.incident, "NoteAdded", actor=ALICE, at=NOW, text="one")
    other = recorded(first.incident, "NoteAdded", actor=ALICE, at=NOW, text="two")
    table.commit(note)
    with pytest.raises(Stale) as stale:
        table.commit(other)
    assert stale.value.current == note.incident


def test_the_timeline_reads_back_in_order_and_its_chain_holds(table: Table) -> None:
    change = opened(id=new_incident_id())
    for n in range(12):
        change = change.recorded("NoteAdded", actor=ALICE, at=NOW, text=f"ü {n}", data={"n": n, "f": 0.5, "x": [None]})
    table.commit(change)
    incident = table.incident(change.incident.id)
    entries = table.timeline(incident.id)
    assert tuple(entries) == change.entries
    assert first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash) is None
    assert [e.seq for e in table.timeline(incident.id, after=3, limit=2)] == [4, 5]


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (None, True),
        (ABSENT, False),
        ({"a": 1}, True),
        ({"a": 2}, False),
        ({"b": None}, True),
        ({"a": None}, False),
        ({"a": AtMost(1)}, True),
        ({"a": AtMost(0)}, False),
        ({"b": AtMost(1)}, False),
    ],
)
def test_conditions(table: Table, when: Any, holds: bool) -> None:
    for write in (lambda k: table.write(Put(Record(k, {"a": 5}), when)), lambda k: table.write(Delete(k, when))):
        key = a_key()
        table.write(Put(Record(key, {"a": 1})))
        if holds:
            write(key)
            assert table.get(key) != {"a": 1}
        else:
            with pytest.raises(Refused) as refused:
                write(key)
            assert refused.value.current == {"a": 1}
            assert table.get(key) == {"a": 1}


def test_an_update_sets_and_adds_and_leaves_the_rest(table: Table) -> None:
    key, other = a_key(), a_key()
    table.write(Put(Record(key, {"open": True, "count": 1, "kept": "x"})))
    table.write(Update(key, {"open": False}, when={"open": True}, adds={"count": 2, "new": 1}))
    assert table.get(key) == {"open": False, "count": 3, "kept": "x", "new": 1}
    with pytest.raises(Refused) as refused:
        table.write(Put(Record(other, {})), Update(key, {"open": True}, when={"open": True}))
    assert (refused.value.key, (refused.value.current or {})["count"]) == (key, 3)
    assert table.get(other) is None
    table.commit(opened(id=new_incident_id()), Update(other, {"open": False}))
    assert table.get(other) == {"open": False}


def test_several_writes_are_all_or_nothing(table: Table) -> None:
    one, two = a_key(), a_key()
    table.write(Put(Record(one, {"v": 1})), Put(Record(two, {"v": 2})))
    assert table.get_many([one, two, a_key()]) == {one: {"v": 1}, two: {"v": 2}}
    with pytest.raises(Refused) as refused:
        table.write(Put(Record(one, {"v": 9})), Delete(two, {"v": 3}))
    assert refused.value.key == two
    assert table.get(one) == {"v": 1}


def test_more_than_dynamodb_takes_is_refused(table: Table) -> None:
    keys = [a_key() for _ in range(101)]
    with pytest.raises(ValueError, match="at most 100"):
        table.write(*(Put(Record(key, {})) for key in keys))
    with pytest.raises(InvalidInput):
        table.write(Put(Record(keys[0], {"text": "x" * 401 * 1024})), Put(Record(keys[1], {})))
    with pytest.raises(InvalidInput):
        table.write(Put(Record(keys[0], {})), Delete(keys[0]))
    assert table.get(keys[0]) is None


def test_adding_counts_in_place_and_only_under_its_condition(table: Table) -> None:
    key = a_key()
    with pytest.raises(Refused) as nothing_there:
        table.add(key, {"count": 1}, when={"open": True})
    assert nothing_there.value.current is None
    table.write(Put(Record(key, {"open": True, "count": 1})))
    assert table.add(key, {"count": 3, "stale": 1}, sets={"seen": "now"}, when={"open": True}) == {
        "open": True, "count": 4, "stale": 1, "seen": "now",
    }  # fmt: skip
    with pytest.raises(Refused) as refused:
        table.add(key, {"count": 1}, when={"open": False})
    assert refused.value.current is not None
    assert refused.value.current["count"] == 4


def test_a_partition_reads_in_order_of_its_sort_key(table: Table) -> None:
    pk = f"TEST#{uuid.uuid4().hex}"
    table.write(*(Put(Record(Key(pk, sk), {"sk_was": sk})) for sk in ("RUN#2", "RUN#1", "PAGE#1")))
    assert [k.sk for k, _ in table.query(pk)] == ["PAGE#1", "RUN#1", "RUN#2"]
    assert [body for _, body in table.query(pk, "RUN#")] == [{"sk_was": "RUN#1"}, {"sk_was": "RUN#2"}]


def test_lists_are_newest_first_across_shards_and_pages(table: Table, service: str) -> None:
    ids = [new_incident_id() for _ in range(23)]
    for n, incident_id in enumerate(ids):
        table.commit(opened(id=incident_id, service=service, detected_at=NOW - timedelta(seconds=n)))
    seen: list[str] = []
    cursor = None
    while True:
        page = table.page(Filters(status="open", service=service), limit=5, cursor=cursor)
        assert len(page.items) <= 5
        seen += [card["id"] for card in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ids


def test_lists_filter_by_status_and_show_cards(table: Table, service: str) -> None:
    change = opened(id=new_incident_id(), service=service)
    table.commit(change)
    table.commit(opened(id=new_incident_id(), service=service))
    amend(table, change.incident.id, lambda i: lifecycle.resolve(i, actor=ALICE, at=NOW))
    (card,) = table.page(Filters(status="resolved", service=service)).items
    assert card == {
        "id": change.incident.id, "status": "resolved", "severity": "SEV2", "service": service,
        "environment": "production", "kind": "real", "mode": "live", "title": "checkout 5xx above 5%",
        "version": 2, "detected_at": "2026-03-01T12:00:00.000Z",
    }  # fmt: skip
    assert len(table.page(Filters(service=service)).items) == 2
    assert table.page(Filters(status="open", service=service, severity="SEV1")).items == []


def test_bad_filters_and_cursors_say_so(table: Table) -> None:
    with pytest.raises(InvalidInput, match="acknowledged"):
        table.page(Filters(status="opened"))
    with pytest.raises(InvalidInput, match="cursor"):
        table.page(Filters(), cursor="AAAA")


def test_what_waits_too_long_is_due(table: Table) -> None:
    late = opened(id=new_incident_id(), detected_at=NOW)
    later = opened(id=new_incident_id(), detected_at=NOW + timedelta(hours=1))
    done = opened(id=new_incident_id(), status="resolved")
    for change in (late, later, done):
        table.commit(change)
    due = set(table.due(NOW + timedelta(minutes=5)))
    assert late.incident.id in due
    assert not {later.incident.id, done.incident.id} & due
