from datetime import timedelta

import pytest

from incidentio.core.incident import recorded
from incidentio.core.timeline import Entry, first_broken_link
from tests.make import ALICE, NOW, opened


def a_chain(length: int = 5) -> tuple[list[Entry], int, str]:
    change = opened()
    for n in range(length - 1):
        change = change.recorded(
            "NoteAdded", actor=ALICE, at=NOW + timedelta(seconds=n), text=f"note {n}", data={"n": n, "é": "ü"}
        )
    return list(change.entries), change.incident.timeline_seq, change.incident.head_hash


def test_an_untouched_chain_holds_also_after_a_round_trip_through_json():
    entries, seq, head = a_chain()
    stored = [Entry.model_validate_json(e.model_dump_json()) for e in entries]
    assert first_broken_link(stored, seq=seq, head_hash=head) is None


@pytest.mark.parametrize("field", ["text", "type", "at", "actor", "data", "incident_version", "kind", "correlation_id"])
def test_a_changed_field_is_found_where_it_is(field):
    entries, seq, head = a_chain()
    other = {
        "text": "x", "type": "X", "at": NOW + timedelta(days=1), "actor": ALICE.model_copy(update={"id": "mallory"}),
        "data": {"n": 99}, "incident_version": 9, "kind": "drill", "correlation_id": "x",
    }  # fmt: skip
    entries[2] = Entry.model_validate(entries[2].model_dump() | {field: other[field]})
    broken = first_broken_link(entries, seq=seq, head_hash=head)
    assert broken is not None
    assert broken.seq == 3


def test_a_resealed_entry_breaks_its_successor():
    entries, seq, head = a_chain()
    entries[2] = entries[2].model_copy(update={"text": "forged"}).sealed()
    broken = first_broken_link(entries, seq=seq, head_hash=head)
    assert broken is not None
    assert broken.seq == 4


@pytest.mark.parametrize("index", range(5))
def test_a_missing_entry_is_named(index):
    entries, seq, head = a_chain()
    del entries[index]
    broken = first_broken_link(entries, seq=seq, head_hash=head)
    assert broken is not None
    assert broken.seq == index + 1


def test_a_rewritten_tail_does_not_meet_the_head():
    entries, seq, head = a_chain()
    entries[-1] = entries[-1].model_copy(update={"text": "forged"}).sealed()
    broken = first_broken_link(entries, seq=seq, head_hash=head)
    assert broken is not None
    assert "head" in broken.why


def test_recorded_moves_the_version_only_for_lifecycle_changes():
    incident = opened().incident
    assert recorded(incident, "NoteAdded", actor=ALICE, at=NOW, text="n").incident.version == 1
    assert recorded(incident, "IncidentUpdated", actor=ALICE, at=NOW, text="t", lifecycle=True).incident.version == 2
