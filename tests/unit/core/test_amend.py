import pytest

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.errors import IllegalTransition, NotFound, Unavailable, VersionConflict
from incidentio.core.incident import Incident, Status, recorded
from tests.fakes import FakeTable
from tests.make import ALICE, BOB, NOW, opened


def no_pause(_seconds: float) -> None:
    """Retry at once."""


@pytest.fixture
def table() -> FakeTable:
    table = FakeTable()
    table.commit(opened())
    return table


def acknowledged_by(actor):
    return lambda incident: lifecycle.acknowledge(incident, actor=actor, at=NOW)


def note(incident: Incident):
    return recorded(incident, "NoteAdded", actor=BOB, at=NOW, text="looking")


def test_a_faster_note_only_makes_it_decide_again(table):
    table.before_commit.append(lambda: amend(table, "INC-7K3F9A", note))
    incident = amend(table, "INC-7K3F9A", acknowledged_by(ALICE), pause=no_pause)
    assert incident.status is Status.ACKNOWLEDGED
    assert table.types("INC-7K3F9A") == ["IncidentTriggered", "NoteAdded", "IncidentAcknowledged"]


def test_of_two_acknowledgements_the_slower_is_told_what_is_there_now(table):
    table.before_commit.append(lambda: amend(table, "INC-7K3F9A", acknowledged_by(BOB)))
    with pytest.raises(IllegalTransition) as error:
        amend(table, "INC-7K3F9A", acknowledged_by(ALICE), pause=no_pause)
    assert (error.value.details["status"], error.value.details["version"]) == ("acknowledged", 2)


def test_a_stale_version_is_refused_and_changes_nothing(table):
    with pytest.raises(VersionConflict) as error:
        amend(table, "INC-7K3F9A", acknowledged_by(ALICE), expected_version=7)
    assert error.value.details["version"] == 1
    assert table.incident("INC-7K3F9A").status is Status.TRIGGERED


def test_the_same_idempotency_key_acts_once(table):
    first = amend(table, "INC-7K3F9A", acknowledged_by(ALICE), idempotency_key="k1")
    second = amend(table, "INC-7K3F9A", acknowledged_by(ALICE), idempotency_key="k1", expected_version=1)
    assert first.version == second.version == 2
    assert table.types("INC-7K3F9A").count("IncidentAcknowledged") == 1


def test_only_the_last_ten_keys_are_remembered(table):
    for n in range(15):
        amend(table, "INC-7K3F9A", note, idempotency_key=f"k{n}")
    assert sorted(table.incident("INC-7K3F9A").idempotency, key=lambda k: int(k[1:])) == [f"k{n}" for n in range(5, 15)]


def test_endless_contention_ends_as_unavailable(table):
    def always_beaten(incident: Incident):
        table.before_commit.append(lambda: amend(table, "INC-7K3F9A", note))
        return lifecycle.acknowledge(incident, actor=ALICE, at=NOW)

    with pytest.raises(Unavailable):
        amend(table, "INC-7K3F9A", always_beaten, attempts=3, pause=no_pause)


def test_an_unknown_incident_is_named(table):
    with pytest.raises(NotFound, match="INC-000000"):
        amend(table, "INC-000000", note)
