"""Merge and split: signals go where they are told, and nothing is counted twice."""

from incidentio.core.errors import Unavailable
from incidentio.core.incident import Change, recorded
from incidentio.core.members import member_key as key_of
from incidentio.core.members import members_of, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record, Update, Write
from tests.unit.api.conftest import World

ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:"


def with_signals(world: World, states: dict[str, str]) -> str:
    """An incident holding one signal per alarm name in `states`."""
    incident_id = world.opened(severity="SEV2")
    for name, state in states.items():
        incident = world.stored(incident_id)
        firing = incident.firing + (state == "firing")
        body = {
            "dedup_key": ARN + name,
            "state": "firing",
            "title": name,
            "source": "cloudwatch",
            "alarm_arn": ARN + name,
        }
        world.table.commit(
            recorded(
                incident, "SignalJoined", actor=SYSTEM, at=world.clock(), text="joined",
                members=incident.members + 1, firing=firing,
            ),
            Put(Record(key_of(incident_id, ARN + name), body)),
            Put(Record(pointer_key(ARN + name), {"open": True, "incident_id": incident_id, "state": state})),
        )  # fmt: skip
    return incident_id


def test_a_merge_moves_the_signals_and_ends_the_source(world: World) -> None:
    kept, gone = with_signals(world, {"a": "firing"}), with_signals(world, {"b": "firing", "c": "ok"})
    merged = world.alice.post(f"/incidents/{gone}/merge", {"into": kept.lower(), "note": "same cause"})
    assert (merged["status"], merged["merged_into"], merged["members"], merged["firing"]) == ("merged", kept, 0, 0)
    target = world.alice.get(f"/incidents/{kept}")
    assert (target["members"], target["firing"]) == (3, 2)
    assert {m["title"] for m in members_of(world.table, kept)} == {"a", "b", "c"}
    assert members_of(world.table, gone) == []
    assert world.table.records[pointer_key(ARN + "b")]["incident_id"] == kept
    assert world.last(kept).type == "SignalJoined"
    assert "signal(s)" not in world.last(kept).text


def test_a_large_merge_moves_in_batches(world: World) -> None:
    kept, gone = with_signals(world, {}), with_signals(world, {f"n{n}": "firing" for n in range(60)})
    world.alice.post(f"/incidents/{gone}/merge", {"into": kept})
    assert world.stored(kept).members == world.stored(kept).firing == 60
    assert world.table.types(kept).count("SignalJoined") == 3


def test_a_merge_into_nothing_good_moves_nothing(world: World) -> None:
    kept, gone = with_signals(world, {"a": "firing"}), with_signals(world, {"b": "firing"})
    assert world.alice.call("POST", f"/incidents/{gone}/merge", {"into": gone}).status == 400
    assert world.alice.call("POST", f"/incidents/{gone}/merge", {"into": "INC-000000"}).status == 404
    assert world.alice.call("POST", f"/incidents/{gone}/merge", {"into": kept}, If_Match="9").status == 409
    world.alice.post(f"/incidents/{kept}/resolve")
    assert world.alice.call("POST", f"/incidents/{gone}/merge", {"into": kept}).status == 409
    assert world.stored(gone).members == 1


def test_a_repeated_merge_is_one_merge(world: World) -> None:
    kept, gone = with_signals(world, {"a": "firing"}), with_signals(world, {"b": "firing"})
    for _ in range(2):
        answer = world.alice.call("POST", f"/incidents/{gone}/merge", {"into": kept}, Idempotency_Key="k")
        assert answer.status == 200
    assert world.stored(kept).members == 2


def test_a_split_opens_an_incident_for_one_signal(world: World) -> None:
    whole = with_signals(world, {"a": "firing", "b": "firing"})
    answer = world.alice.call(
        "POST", f"/incidents/{whole}/split", {"dedup_key": ARN + "b", "note": "other cause"}, Idempotency_Key="k"
    )
    assert answer.status == 201
    part = answer.body
    assert part["id"] != whole
    assert (part["status"], part["title"], part["severity"]) == ("triggered", "b", "SEV2")
    assert (part["members"], part["firing"]) == (1, 1)
    assert part["subject"]["alarm_name"] == "b"
    rest = world.alice.get(f"/incidents/{whole}")
    assert (rest["members"], rest["firing"]) == (1, 1)
    assert world.last(whole).type == "IncidentSplit"
    assert world.table.types(part["id"]) == ["IncidentTriggered"]
    assert world.table.records[pointer_key(ARN + "b")]["incident_id"] == part["id"]
    again = world.alice.post(
        f"/incidents/{whole}/split", {"dedup_key": ARN + "b", "note": "other cause"}, Idempotency_Key="k"
    )
    assert again["id"] == part["id"]


def test_what_cannot_be_split(world: World) -> None:
    whole = with_signals(world, {"a": "firing"})
    unknown = world.alice.call("POST", f"/incidents/{whole}/split", {"dedup_key": "zzz"})
    assert (unknown.status, unknown.error["details"]["dedup_keys"]) == (404, [ARN + "a"])
    assert world.alice.call("POST", f"/incidents/{whole}/split", {"dedup_key": ARN + "a"}).status == 409
    world.alice.post(f"/incidents/{whole}/resolve")
    assert world.alice.call("POST", f"/incidents/{whole}/split", {"dedup_key": ARN + "a"}).status == 409


def test_two_splits_of_one_signal_make_one_incident(world: World) -> None:
    whole = with_signals(world, {"a": "firing", "b": "firing", "c": "firing"})
    path, body = f"/incidents/{whole}/split", {"dedup_key": ARN + "b"}
    world.table.before_commit.append(lambda: world.bob.post(path, body))
    assert world.alice.call("POST", path, body).status == 409
    assert len(world.table) == 2


def fires_meanwhile(world: World, incident_id: str, name: str) -> None:
    """As ingest does it: the signal fires again in its incident."""
    incident = world.stored(incident_id)
    world.table.commit(
        recorded(
            incident, "SignalJoined", actor=SYSTEM, at=world.clock(), text="again",
            firing=incident.firing + 1, ok_since=None,
        ),
        Update(pointer_key(ARN + name), {"state": "firing"}),
    )  # fmt: skip


def test_a_signal_that_fires_while_it_is_merged_is_counted(world: World) -> None:
    kept, gone = with_signals(world, {"a": "ok"}), with_signals(world, {"b": "ok"})
    world.table.before_commit.append(lambda: fires_meanwhile(world, gone, "b"))
    world.alice.post(f"/incidents/{gone}/merge", {"into": kept})
    assert (world.stored(kept).members, world.stored(kept).firing) == (2, 1)


def test_a_signal_that_fires_while_it_is_split_off_is_counted(world: World) -> None:
    whole = with_signals(world, {"a": "firing", "b": "ok"})
    world.table.before_commit.append(lambda: fires_meanwhile(world, whole, "b"))
    part = world.alice.post(f"/incidents/{whole}/split", {"dedup_key": ARN + "b"})
    assert (part["members"], part["firing"]) == (1, 1)
    assert (world.stored(whole).members, world.stored(whole).firing) == (1, 1)


def test_a_merge_leaves_alone_what_a_newer_incident_has(world: World) -> None:
    kept, gone = with_signals(world, {"a": "firing"}), with_signals(world, {"b": "firing"})
    world.table.write(Update(pointer_key(ARN + "b"), {"incident_id": "INC-NEWER0"}))
    world.alice.post(f"/incidents/{gone}/merge", {"into": kept})
    assert world.table.records[pointer_key(ARN + "b")]["incident_id"] == "INC-NEWER0"
    assert world.stored(kept).firing == 1


def test_what_is_left_after_a_split_recovers_by_itself(world: World) -> None:
    whole = with_signals(world, {"a": "ok", "b": "firing"})
    world.alice.post(f"/incidents/{whole}/split", {"dedup_key": ARN + "b"})
    assert (world.stored(whole).firing, world.stored(whole).ok_since) == (0, world.clock())


def test_a_split_that_died_half_way_is_finished_by_its_repetition(world: World) -> None:
    whole = with_signals(world, {"a": "firing", "b": "firing"})
    commit, died = world.table.commit, []

    def dies_once(change: Change, *writes: Write) -> None:
        if change.incident.id == whole and not died:
            died.append(1)
            raise Unavailable("gone")
        commit(change, *writes)

    world.table.commit = dies_once  # type: ignore[method-assign]
    path, body = f"/incidents/{whole}/split", {"dedup_key": ARN + "b"}
    assert world.alice.call("POST", path, body, Idempotency_Key="k").status == 503
    for _ in range(2):
        assert world.alice.call("POST", path, body, Idempotency_Key="k").status == 201
    assert (world.stored(whole).members, world.stored(whole).firing, len(world.table)) == (1, 1, 2)
    assert world.table.types(whole).count("IncidentSplit") == 1
