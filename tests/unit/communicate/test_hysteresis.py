"""A flapping incident calls twice, and then only with news."""

from datetime import timedelta

from incidentio.communicate.sweep import sweep
from incidentio.core import lifecycle
from incidentio.core.severity import Severity
from tests.make import ALICE
from tests.unit.communicate.conftest import ID, Desk

WINDOW = timedelta(minutes=15)


def comes_back(desk: Desk) -> None:
    """Resolved and reopened, a minute each."""
    desk.clock.advance(minutes=1)
    desk.table.commit(lifecycle.resolve(desk.incident, actor=ALICE, at=desk.clock()))
    desk.clock.advance(minutes=1)
    desk.change(lambda i: lifecycle.reopen(i, actor=ALICE, at=desk.clock(), window=WINDOW))


def flapping(desk: Desk, **fields) -> None:
    """Told twice, and flapping now."""
    desk.open(**fields)
    desk.triaged()
    comes_back(desk)
    desk.record("NoteAdded", flapping_since=desk.clock())
    assert len(desk.topics) == 2


def test_it_calls_twice_and_says_why_it_calls_no_more(desk):
    flapping(desk)
    for _ in range(4):
        comes_back(desk)
    sweep(desk.teller)
    assert len(desk.topics) == 2
    said = [e for e in desk.table.entries[ID] if e.type == "NotificationSkipped"]
    assert len(said) == 4
    assert said[0].text == (
        "nobody was told: it is flapping since 2026-03-01 12:02:00 UTC and was told of 2 times: again at"
        " 2026-03-01 12:32:00 UTC unless somebody acknowledges it"
    )


def test_half_an_hour_without_anybody_is_called_again_and_then_every_half_hour(desk):
    flapping(desk)
    comes_back(desk)
    for _minutes in range(1, 70):
        desk.clock.advance(minutes=1)
        sweep(desk.teller)
    assert [s.page_id.split("-")[2] for s in desk.topics.sent] == ["1", "4", "6", "6"]


def test_repeats_of_one_call_are_bounded_as_well(desk):
    desk.open()
    desk.triaged()
    desk.record("NoteAdded", flapping_since=desk.clock())
    for _ in range(34):
        desk.clock.advance(minutes=1)
        sweep(desk.teller)
    assert len(desk.topics) == 2
    desk.clock.advance(minutes=1)
    sweep(desk.teller)
    assert len(desk.topics) == 3


def test_worse_is_called(desk):
    flapping(desk)
    comes_back(desk)
    desk.change(lambda i: lifecycle.change_severity(i, Severity.SEV1, actor=ALICE, at=desk.clock(), why="worse"))
    assert len(desk.topics) == 3
    comes_back(desk)
    assert len(desk.topics) == 3


def test_a_service_that_no_call_named_is_called(desk):
    flapping(desk, service="orders-db", blast_radius=("checkout",))
    desk.record("IncidentTriaged", blast_radius=("checkout", "search"), triaged_at=desk.clock())
    comes_back(desk)
    assert len(desk.topics) == 3
    comes_back(desk)
    assert len(desk.topics) == 3


def test_who_has_acknowledged_it_is_not_called_for_every_return(desk):
    flapping(desk)
    for _ in range(3):
        desk.clock.advance(minutes=1)
        desk.table.commit(lifecycle.mitigate(desk.incident, actor=ALICE, at=desk.clock()))
        desk.clock.advance(minutes=1)
        desk.change(lambda i: lifecycle.impact_returned(i, actor=ALICE, at=desk.clock(), text="back"))
    assert len(desk.topics) == 2
    assert desk.table.entries[ID][-1].text.endswith("was told of 2 times; somebody has it")


def test_when_it_is_quiet_again_the_next_return_is_called(desk):
    flapping(desk)
    desk.record("NoteAdded", flapping_since=None)
    comes_back(desk)
    assert len(desk.topics) == 3
