"""In maintenance and in monitor mode nothing starts by itself, and the timeline says what would have."""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.incident import recorded
from incidentio.core.person import SYSTEM
from incidentio.core.signal import Mode
from tests.make import NOW
from tests.unit.mitigate.stage import Stage

SAFE = {
    "name": "look",
    "risk": "safe",
    "steps": [{"action": "set-reserved-concurrency", "with": {"value": "${limit}"}}],
}
SERVICES = {"checkout": {"automation": {"auto": ["look"]}}}
WINDOW = {
    "name": "db-upgrade",
    "matchers": ['service="checkout"'],
    "starts_at": NOW - timedelta(minutes=5),
    "ends_at": NOW + timedelta(minutes=20),
    "author": "dba",
    "reason": "major version",
}


def staged(routing: dict[str, Any] | None = None, **incident: Any) -> Stage:
    return Stage(SAFE, catalog={"services": SERVICES, "routing": routing or {}}, proposed=("look",), **incident)


def happens(stage: Stage, type: str) -> None:
    stage.table.commit(recorded(stage.incident, type, actor=SYSTEM, at=stage.clock(), text=type))
    stage.deliver()


def test_it_starts_by_itself_where_nothing_holds_it():
    stage = staged()
    happens(stage, "IncidentTriaged")
    assert "PlaybookRequested" in stage.types


def test_in_maintenance_it_does_not_start_and_after_it_it_does():
    stage = staged({"maintenance": [WINDOW]})
    happens(stage, "IncidentTriaged")
    happens(stage, "IncidentTriaged")
    assert stage.types.count("AutomationHeld") == 1
    assert "PlaybookRequested" not in stage.types
    assert stage.text("AutomationHeld") == (
        "look did not start by itself: maintenance db-upgrade (dba, major version) until 2026-03-01 12:20:00 UTC"
    )
    assert stage.data("AutomationHeld")["until"] == "2026-03-01T12:20:00.000Z"
    stage.clock.advance(minutes=20)
    happens(stage, "QuietEnded")
    assert stage.types.count("PlaybookRequested") == 1


def test_what_a_person_asks_for_starts_in_maintenance():
    stage = staged({"maintenance": [WINDOW]})
    stage.request("look")
    stage.deliver()
    assert stage.executions.queue


@pytest.mark.parametrize(
    ("routing", "incident", "said"),
    [
        ({"route": {"receiver": "ticket", "mode": "monitor"}}, {}, "monitor mode of the default route"),
        ({}, {"mode": Mode.MONITOR}, "monitor mode"),
    ],
)
def test_in_monitor_mode_the_timeline_says_what_would_have_started(routing, incident, said):
    stage = staged(routing, **incident)
    happens(stage, "IncidentTriaged")
    happens(stage, "QuietEnded")
    assert stage.text("AutomationHeld") == f"look did not start by itself: {said}"
    assert stage.types.count("AutomationHeld") == 1
    assert "PlaybookRequested" not in stage.types


def test_nothing_is_said_where_nothing_would_have_started():
    stage = Stage(SAFE, catalog={"routing": {"maintenance": [WINDOW]}}, proposed=("look",))
    happens(stage, "IncidentTriaged")
    assert "AutomationHeld" not in stage.types


def test_a_window_that_cannot_be_evaluated_holds_nothing_back():
    never = {"rrule": "FREQ=WEEKLY;INTERVAL=-1", "duration": "1h", "ends_at": None}
    stage = staged({"maintenance": [{**WINDOW, **never}]})
    happens(stage, "IncidentTriaged")
    assert stage.types.count("PlaybookRequested") == 1
    other = staged({"maintenance": [{**WINDOW, **never, "name": "broken"}, WINDOW]})
    happens(other, "IncidentTriaged")
    assert other.types.count("AutomationHeld") == 1
