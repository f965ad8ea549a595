"""A flapping incident calls twice, and then only with news."""

from datetime import timedelta

import pytest

from incidentio.communicate.sweep import sweep
from incidentio.core import lifecycle
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from incidentio.core.severity import Severity
from tests.make import ALICE
from tests.unit.communicate.conftest import ID, Desk, desk_with

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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"changes": 3, "within": "20m", "quiet_for": "10m"},
            {
                "rules": ["flapping: 3 changes of state within 20m"],
                "author": "routing.yaml",
                "comment": "flapping: 3 changes of state within 20m",
                "ends": "when it has been quiet for 10m, or is worse",
            },
        ),
        (
            {"quiet_for": "10m", "author": "ana", "reason": "a loose cable"},
            {
                "author": "ana",
                "comment": "a loose cable",
                "ends": "when it has been quiet for 10m, or is worse",
            },
        ),
        (None, {"author": "routing.yaml", "ends": "when it is quiet, or is worse"}),
    ],
)
def test_who_is_not_called_can_see_whose_rule_that_is_why_and_until_when(given, told):
    desk = desk_with(Bundle(catalog=Catalog.model_validate({"routing": {"flapping": given}})))
    desk.open()
    for _ in range(2):
        desk.triaged()
        comes_back(desk)
    desk.record("NoteAdded", flapping_since=desk.clock() - timedelta(minutes=5))
    comes_back(desk)
    skipped = desk.table.entries[ID][-1]
    assert skipped.type == "NotificationSkipped"
    assert {name: skipped.data.get(name) for name in told} == told
    assert ("(ana, a loose cable)" in skipped.text) is (told["author"] == "ana")
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.clock.advance(minutes=1)
    desk.table.commit(lifecycle.mitigate(desk.incident, actor=ALICE, at=desk.clock()))
    desk.change(lambda i: lifecycle.impact_returned(i, actor=ALICE, at=desk.clock(), text="back"))
    assert desk.table.entries[ID][-1].data["ends"] == told["ends"].removesuffix(", or is worse")


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
