"""GET /reports/noise."""

from datetime import timedelta

import pytest

from incidentio.core import ended
from incidentio.learn.remember import remember
from tests.make import NOW
from tests.unit.api.conftest import World
from tests.unit.core.test_noise import ARN, outcome


def test_cancelling_with_a_reason_feeds_the_report(world: World) -> None:
    world.table.write(ended.ended_write(outcome(0, id="INC-0OLD00", detected_at=NOW - timedelta(days=40))))
    for number in range(3):
        world.table.write(ended.ended_write(outcome(number, status="cancelled", reason="false_positive")))
    found = world.alice.get("/reports/noise?days=30")
    (row,) = found["items"]
    assert (row["alarm"], row["dedup_key"], row["fired"], row["false"]) == ("a", ARN + "a", 3, 3)
    assert row["suggestion"].startswith("delete it")
    assert (found["incidents"], found["totals"]["false"], found["complete"]) == (3, 3, True)
    assert (found["since"], found["until"]) == ("2026-01-31", "2026-03-01")
    assert world.alice.get("/reports/noise?days=41")["incidents"] == 4


def test_an_incident_that_a_person_opened_has_no_alarm_and_no_row(world: World) -> None:
    incident_id = world.opened()
    world.alice.post(f"/incidents/{incident_id}/cancel", {"reason": "test"})
    remember(incident_id, table=world.table)
    found = world.alice.get("/reports/noise")
    assert (found["incidents"], found["items"]) == (1, [])


def test_a_report_says_where_it_could_not_count_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidentio.api.noise.MOST_A_DAY", 2)
    for number in range(2):
        world.table.write(ended.ended_write(outcome(number)))
    assert world.alice.get("/reports/noise")["complete"] is False


@pytest.mark.parametrize("query", ["days=0", "days=91", "utc_offset=900", "month=3"])
def test_wrong_parameters_are_refused(world: World, query: str) -> None:
    assert world.alice.call("GET", f"/reports/noise?{query}").status == 400
