"""Changes are written down before their signals, once however often they are told, and a failed write comes back."""

import json
from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.changes import changes_of
from incidentio.core.errors import Unavailable
from incidentio.core.ports import Put
from tests.unit.ingest.doors import SAMPLES, Desk


def deployment(desk: Desk, state: str, *, seconds: float = 0, deployment: str = "d-1") -> str:
    event: dict[str, Any] = json.loads((SAMPLES / "codedeploy_failure.json").read_text())
    event["time"] = desk.at(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")
    event["detail"] |= {"state": state, "deploymentId": deployment}
    return json.dumps(event)


def told(desk: Desk) -> list[tuple[str, str]]:
    found = changes_of(desk.table, None, since=desk.at(0) - timedelta(days=1))
    return [(change.id.rpartition("/")[2], change.status) for change in found]


def test_a_started_deployment_is_a_change_and_no_incident() -> None:
    desk = Desk()
    report = desk(deployment(desk, "START"))
    assert (report.counts, report.failed) == ({"change": 1}, [])
    assert told(desk) == [("d-1", "started")]
    assert len(desk.table) == 0


def test_one_that_fails_is_both_and_the_next_that_succeeds_ends_it() -> None:
    desk = Desk()
    desk(deployment(desk, "START"), deployment(desk, "FAILURE", seconds=60))
    assert desk.types == ["IncidentTriggered"]
    assert told(desk) == [("d-1", "failed")]
    desk(deployment(desk, "SUCCESS", seconds=120, deployment="d-2"))
    assert desk.types == ["IncidentTriggered", "SignalRecovered"]
    assert told(desk) == [("d-2", "succeeded"), ("d-1", "failed")]


def test_a_repeated_event_is_one_record() -> None:
    desk = Desk()
    for _ in range(3):
        desk(deployment(desk, "START"))
    assert sum(key.pk == "CHANGES#" for key in desk.table.records) == 1


def test_a_change_that_cannot_be_written_comes_back_with_its_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    write = desk.table.write

    def failing(*writes: Any) -> None:
        if any(isinstance(w, Put) and w.record.key.pk.startswith("CHANGES#") for w in writes):
            raise Unavailable("throttled")
        write(*writes)

    monkeypatch.setattr(desk.table, "write", failing)
    report = desk(deployment(desk, "FAILURE"))
    assert (report.failed, len(desk.table)) == (["m0"], 0)
    monkeypatch.undo()
    report = desk(deployment(desk, "FAILURE"))
    assert (report.failed, len(desk.table), told(desk)) == ([], 1, [("d-1", "failed")])
