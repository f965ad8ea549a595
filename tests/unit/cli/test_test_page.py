import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentio.cli.errors import CallRefusedError
from incidentio.cli.test_page import PAGE_SECONDS, Drill, NotSeenError
from tests.unit.cli.conftest import Asked, ScriptedApi, entry

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PATH = "/incidents/INC-7K3F9A"


class World:
    """A deployment where time passes when somebody waits."""

    def __init__(self, api: ScriptedApi) -> None:
        self.now = START
        self.published: list[dict[str, Any]] = []
        self.timeline: list[tuple[float, dict[str, Any]]] = []
        self.opens_after = 0.5
        self.said: list[str] = []
        api.answers["GET", "/incidents"] = self._list
        api.answers["GET", PATH] = self._show
        api.answers["GET", f"{PATH}/timeline"] = self._timeline
        api.answers["POST", f"{PATH}/cancel"] = {"id": "INC-7K3F9A", "status": "cancelled"}
        self.drill = Drill(api=api, publish=self._publish, clock=lambda: self.now, pause=self._pause)

    def writes(self, after: float, type: str) -> None:
        at = (START + timedelta(seconds=after)).isoformat()
        self.timeline.append((after, entry(len(self.timeline) + 1, type, type=type, at=at)))

    @property
    def elapsed(self) -> float:
        return (self.now - START).total_seconds()

    def _publish(self, body: str) -> None:
        self.published.append(json.loads(body))

    def _pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _list(self, asked: Asked) -> dict[str, Any]:
        assert asked.query == {"status": "open", "kind": "drill"}
        return {"items": [{"id": "INC-7K3F9A"}] if self.elapsed >= self.opens_after else [], "next": None}

    def _show(self, _: Asked) -> dict[str, Any]:
        opened = START + timedelta(seconds=self.opens_after)
        return {"id": "INC-7K3F9A", "dedup_key": self.published[0]["dedup_key"], "detected_at": opened.isoformat()}

    def _timeline(self, _: Asked) -> dict[str, Any]:
        return {"items": [body for after, body in self.timeline if after <= self.elapsed], "next": None}

    def run(self, wait: float = 0) -> Any:
        return self.drill.run(acknowledge_within=wait, told=self.said.append)


@pytest.fixture
def world(api: ScriptedApi) -> World:
    return World(api)


def test_it_says_how_long_the_page_took_and_tidies_up(world: World, api: ScriptedApi) -> None:
    world.writes(1.2, "PagePublished")
    report = world.run()
    assert (report.incident_id, report.opened_after, report.page_published_after) == ("INC-7K3F9A", 0.5, 1.2)
    assert report.acknowledged_after is None
    assert [signal["state"] for signal in world.published] == ["firing", "ok"]
    assert (api.asked[-1].path, api.asked[-1].body) == (f"{PATH}/cancel", {"reason": "test"})


def test_the_signal_is_one_that_ingest_takes(world: World) -> None:
    from incidentio.ingest.contracts.signal_v1 import read_signal

    world.writes(1, "PagePublished")
    world.run()
    built = read_signal(world.published[0]).build(START)
    assert (built.kind, built.state, built.severity) == ("drill", "firing", "SEV2")


def test_an_acknowledgement_is_waited_for(world: World) -> None:
    world.writes(1, "PagePublished")
    world.writes(40, "IncidentAcknowledged")
    report = world.run(wait=60)
    assert (report.acknowledged_after, report.acknowledged_by) == (40, "1:user/responder")


def test_nobody_acknowledging_is_an_answer_and_not_an_error(world: World) -> None:
    world.writes(1, "PagePublished")
    assert world.run(wait=30).acknowledged_after is None


def test_no_incident_points_to_the_doctor(world: World) -> None:
    world.opens_after = 2 * PAGE_SECONDS
    with pytest.raises(NotSeenError, match="incidentio doctor"):
        world.run()


def test_no_page_is_told_and_tidied_up(world: World, api: ScriptedApi) -> None:
    with pytest.raises(NotSeenError, match="nobody was paged"):
        world.run()
    assert api.asked[-1].path == f"{PATH}/cancel"


def test_somebody_elses_end_of_the_drill_is_no_error(world: World, api: ScriptedApi) -> None:
    world.writes(1, "PagePublished")
    api.answers["POST", f"{PATH}/cancel"] = CallRefusedError("it is resolved", status=409, error_code="x")
    world.run()
    assert world.said[-1] == "not cancelled: it is resolved"
