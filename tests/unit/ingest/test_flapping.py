"""A signal that changes its state too often keeps one incident open, until it has been quiet."""

from datetime import timedelta

import pytest

from incidentio.core.catalog import Catalog
from incidentio.core.flapping import Flapping
from incidentio.core.incident import Status
from incidentio.detect.recovery import recover
from tests.unit.ingest.doors import Desk, action


def desk_with(**flapping: object) -> Desk:
    given = {"changes": 4, "within": "10m", "quiet_for": "20m", **flapping}
    return Desk(Catalog.model_validate({"routing": {"flapping": given, "recovery": {"SEV2": "resolve"}}}))


def flap(desk: Desk, times: int, *, every: float = 30) -> None:
    for n in range(times):
        desk(action("OK" if n % 2 else "ALARM", desk.at(n * every)))


def test_the_fourth_state_change_within_the_window_is_flapping_and_said_once() -> None:
    desk = desk_with()
    flap(desk, 3)
    assert desk.incident.flapping_since is None
    desk(action("OK", desk.at(90)))
    assert (desk.incident.flapping_since, desk.incident.firing) == (desk.clock(), 0)
    assert desk.types[-2:] == ["SignalRecovered", "IncidentFlapping"]
    assert "4 times within 10m" in desk.table.entries[desk.incident.id][-1].text
    desk(action("ALARM", desk.at(120)), action("OK", desk.at(150)))
    assert desk.types.count("IncidentFlapping") == 1


SAID = "flapping: 4 changes of state within 10m"


@pytest.mark.parametrize(
    ("given", "author", "comment"),
    [({}, "routing.yaml", SAID), ({"author": "ana", "reason": "a loose cable"}, "ana", "a loose cable")],
)
def test_it_says_which_rule_keeps_it_open_whose_that_is_and_until_when(
    given: dict[str, str], author: str, comment: str
) -> None:
    desk = desk_with(**given)
    flap(desk, 4)
    entry = desk.table.entries[desk.incident.id][-1]
    assert entry.type == "IncidentFlapping"
    told = {"rules": [SAID], "author": author, "comment": comment, "ends": "when it has been quiet for 20m"}
    assert {name: entry.data.get(name) for name in told} == told
    assert entry.text.endswith(" (ana, a loose cable)") is bool(given)


def test_slower_changes_and_repetitions_are_none() -> None:
    desk = desk_with()
    flap(desk, 8, every=301)
    assert desk.incident.flapping_since is None
    desk = desk_with()
    for n in range(9):
        desk(action("ALARM", desk.at(n)))
    assert desk.incident.flapping_since is None
    desk = Desk(Catalog.model_validate({"routing": {"flapping": None}}))
    flap(desk, 9)
    assert "IncidentFlapping" not in desk.types


def test_ok_said_again_and_again_of_no_incident_is_no_state_change() -> None:
    desk = desk_with()
    for second in range(0, 240, 60):
        desk(action("OK", desk.at(second)))
    desk(action("ALARM", desk.at(300)))
    assert desk.types == ["IncidentTriggered"]
    desk(action("OK", desk.at(310)))
    assert desk.incident.flapping_since is None


def test_while_it_flaps_ok_is_no_recovery_and_it_ends_when_quiet() -> None:
    desk = desk_with()
    flap(desk, 4)
    routing = desk.table.routing
    desk.clock.advance(minutes=6)
    assert list(desk.table.due(desk.clock())) == [desk.incident.id]  # nobody has triaged it
    assert recover(desk.table, routing, desk.clock()) == (0, 0)
    assert desk.incident.status is Status.TRIGGERED
    desk(action("ALARM", desk.at(360)), action("OK", desk.at(370)))
    desk.clock.advance(minutes=19)
    assert recover(desk.table, routing, desk.clock()) == (0, 0)
    desk.clock.advance(minutes=1)
    assert recover(desk.table, routing, desk.clock()) == (1, 0)
    assert desk.types[-2:] == ["FlappingEnded", "IncidentResolved"]
    assert (desk.incident.flapping_since, desk.incident.flapping_until) == (None, None)


def test_one_that_settles_while_firing_flaps_no_more_and_stays_open() -> None:
    desk = desk_with()
    flap(desk, 5)
    desk.clock.advance(minutes=21)
    assert recover(desk.table, desk.table.routing, desk.clock()) == (1, 0)
    assert desk.types[-1] == "FlappingEnded"
    assert (desk.incident.status, desk.incident.firing) == (Status.TRIGGERED, 1)
    assert recover(desk.table, desk.table.routing, desk.clock()) == (0, 0)


def test_changes_before_a_reopening_count() -> None:
    desk = desk_with()
    flap(desk, 2)
    desk.end(desk.incident.id)
    desk.clock.advance(minutes=1)
    desk(action("ALARM", desk.at(60)))
    assert desk.types[-1] == "IncidentReopened"
    desk(action("OK", desk.at(70)))
    assert desk.types[-1] == "IncidentFlapping"


@pytest.mark.parametrize(("ago", "kept"), [(0, 3), (599, 3), (600, 1), (3600, 1)])
def test_only_recent_changes_count(ago: int, kept: int) -> None:
    desk = Desk()
    now, earlier = desk.clock(), int(desk.clock().timestamp()) - ago
    recent = Flapping(changes=3, within=timedelta(minutes=10)).recent([earlier, earlier, earlier, earlier], now)
    assert len(recent) == kept
    assert recent[-1] == int(now.timestamp())
