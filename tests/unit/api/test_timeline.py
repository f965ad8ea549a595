"""Reading the timeline, and proving that it is what was written."""

import json
from collections.abc import Sequence

from incidentio.core.archive import Retention, anchor_key
from incidentio.core.errors import Damaged
from incidentio.core.timeline import GENESIS, Entry
from incidentio.learn.anchor import anchor
from tests.unit.api.conftest import World


def with_entries(world: World, notes: int) -> str:
    incident_id = world.opened()
    for n in range(notes):
        world.alice.post(f"/incidents/{incident_id}/notes", {"text": f"note {n}"})
    return incident_id


def anchored(world: World) -> str:
    retention = Retention("COMPLIANCE", world.clock())
    key = anchor(table=world.table, archive=world.archive, retention=retention, at=world.clock())
    assert key
    return key


def rewrite(entries: list[Entry], n: int, text: str) -> list[Entry]:
    """What somebody with write access to the table could do: change one entry and seal the chain anew."""
    forged, previous = [], GENESIS
    for i, entry in enumerate(entries):
        changed = entry.model_copy(update={"previous_hash": previous, **({"text": text} if i == n else {})}).sealed()
        forged.append(changed)
        previous = changed.hash
    return forged


def test_pages_of_the_timeline(world: World) -> None:
    incident_id = with_entries(world, 4)
    path, seen = f"/incidents/{incident_id}/timeline?limit=2", []
    while path:
        page = world.alice.get(path)
        seen += [entry["seq"] for entry in page["items"]]
        path = f"/incidents/{incident_id}/timeline?limit=2&next={page['next']}" if page["next"] else ""
    assert seen == [1, 2, 3, 4, 5]
    first = world.alice.get(f"/incidents/{incident_id}/timeline")["items"][0]
    assert first["type"] == "IncidentTriggered"
    assert first["actor"] == {"id": "111122223333:user/alice", "kind": "person"}
    assert first["at"] == "2026-03-01T12:00:00.000Z"
    assert world.alice.call("GET", f"/incidents/{incident_id}/timeline?cursor=abc").status == 400
    assert world.alice.call("GET", "/incidents/INC-000000/timeline").status == 404


def test_an_untouched_chain_holds(world: World) -> None:
    incident_id = with_entries(world, 3)
    assert world.alice.get(f"/incidents/{incident_id}/verify") == {
        "ok": True, "entries": 4, "broken": None, "anchor": None,
    }  # fmt: skip


def test_a_changed_entry_is_named(world: World) -> None:
    incident_id = with_entries(world, 3)
    entries = world.table.entries[incident_id]
    entries[1] = entries[1].model_copy(update={"text": "nothing happened"})
    found = world.alice.get(f"/incidents/{incident_id}/verify")
    assert found["ok"] is False
    assert found["broken"] == {"seq": 2, "why": "was changed after it was written"}


def test_an_entry_added_behind_our_back_is_named(world: World) -> None:
    incident_id = with_entries(world, 2)
    entries = world.table.entries[incident_id]
    entries.append(entries[-1].model_copy(update={"seq": 4, "previous_hash": entries[-1].hash}).sealed())
    found = world.alice.get(f"/incidents/{incident_id}/verify")
    assert found["broken"] == {"seq": 4, "why": "the incident counts 3 entries and 4 are there"}


def test_an_entry_that_is_written_while_we_read_breaks_nothing(world: World) -> None:
    incident_id = with_entries(world, 2)
    read = world.table.timeline

    def meanwhile(incident_id: str, **which: int) -> Sequence[Entry]:
        world.bob.post(f"/incidents/{incident_id}/notes", {"text": "in between"})
        return read(incident_id, **which)

    world.table.timeline = meanwhile  # type: ignore[method-assign]
    assert world.alice.get(f"/incidents/{incident_id}/verify")["ok"] is True


def test_an_entry_nobody_can_read_is_where_the_chain_ends(world: World) -> None:
    incident_id = with_entries(world, 3)
    read = world.table.timeline

    def damaged(incident_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Entry]:
        if limit is None or limit > 2:
            raise Damaged("TL#00000003 is not an entry", readable=2)
        return read(incident_id, after=after, limit=limit)

    world.table.timeline = damaged  # type: ignore[method-assign]
    found = world.alice.get(f"/incidents/{incident_id}/verify")
    assert found["broken"] == {"seq": 3, "why": "the incident counts 4 entries and 2 are there"}
    assert world.alice.call("GET", f"/incidents/{incident_id}/timeline").error["code"] == "damaged"


def test_a_rewritten_chain_does_not_fit_its_anchor(world: World) -> None:
    incident_id = with_entries(world, 3)
    key = anchored(world)
    world.alice.post(f"/incidents/{incident_id}/notes", {"text": "after the anchor"})
    held = world.alice.get(f"/incidents/{incident_id}/verify")
    assert (held["ok"], held["anchor"]["key"], held["anchor"]["seq"]) == (True, key, 4)
    forged = rewrite(world.table.entries[incident_id], 1, "nothing happened")
    world.table.entries[incident_id] = forged
    world.table.incidents[incident_id] = world.stored(incident_id).model_copy(update={"head_hash": forged[-1].hash})
    found = world.alice.get(f"/incidents/{incident_id}/verify")
    assert found["broken"]["seq"] == 4
    assert key in found["broken"]["why"]


def test_a_shortened_chain_does_not_fit_its_anchor(world: World) -> None:
    incident_id = with_entries(world, 3)
    anchored(world)
    entries = world.table.entries[incident_id]
    del entries[2:]
    world.table.incidents[incident_id] = world.stored(incident_id).model_copy(
        update={"head_hash": entries[-1].hash, "timeline_seq": 2}
    )
    assert world.alice.get(f"/incidents/{incident_id}/verify")["broken"]["seq"] == 3


def test_the_anchor_of_an_incident_long_over_is_found(world: World) -> None:
    incident_id = with_entries(world, 1)
    world.alice.post(f"/incidents/{incident_id}/resolve")
    world.clock.advance(minutes=50)
    key = anchored(world)
    world.clock.advance(days=400)
    assert world.alice.get(f"/incidents/{incident_id}/verify")["anchor"]["key"] == key


def test_an_anchor_of_others_only_is_none(world: World) -> None:
    world.archive.put(anchor_key(world.clock()), json.dumps({"incidents": {}}).encode(), content_type="")
    assert world.alice.get(f"/incidents/{world.opened()}/verify")["anchor"] is None
