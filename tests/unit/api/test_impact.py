"""Impact: an estimate until a person says what it was; and what triage found, as a reader sees it."""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.bundle import Bundle
from incidentio.core.signal import Subject
from incidentio.core.situation import Gap, Situation, Suspect, situation_write
from tests.unit.api.conftest import World

SHOP = Bundle.of(
    {
        "catalog": {
            "services": {
                "db": {"impact": {"users": 10, "revenue_per_minute": "5 USD"}},
                "shop": {"depends_on": ["db"], "impact": {"users": 40000, "revenue_per_minute": "120.50 EUR"}},
                "web": {"depends_on": ["shop"], "impact": {"users": 30000, "revenue_per_minute": "1 EUR"}},
            }
        }
    }
)


@pytest.fixture
def world() -> World:
    return World(SHOP)


def opened(world: World, service: str, *affects: str) -> str:
    incident_id = world.opened(service=service)
    world.table.incidents[incident_id] = world.stored(incident_id).model_copy(update={"blast_radius": affects})
    world.clock.advance(minutes=6)
    return incident_id


def impact(world: World, incident_id: str) -> dict[str, Any]:
    found: dict[str, Any] = world.alice.get(f"/incidents/{incident_id}")["impact"]
    return found


def test_the_estimate_is_that_of_the_service_and_all_that_depend_on_it(world: World) -> None:
    found = impact(world, opened(world, "db", "shop", "web"))
    assert (found["users"], found["minutes"]) == (40000, 6.0)
    assert (found["revenue_per_minute"], found["revenue"]) == ("121.5 EUR + 5 USD", "729 EUR + 30 USD")
    assert found["services"] == ["db", "shop", "web"]
    assert found["sentence"] == ("up to 40000 users; about 729 EUR + 30 USD at risk (121.5 EUR + 5 USD a minute)")


def test_it_stops_with_the_impact(world: World) -> None:
    incident_id = opened(world, "shop")
    world.alice.post(f"/incidents/{incident_id}/mitigate")
    world.clock.advance(hours=3)
    assert impact(world, incident_id)["revenue"] == "723 EUR"


def test_nothing_known_is_said_as_that(world: World) -> None:
    found = impact(world, opened(world, "elsewhere"))
    assert (found["users"], found["revenue"], found["users_by"], found["sentence"]) == (None, "", "unknown", "")


def test_what_a_person_says_stands_and_is_in_the_timeline(world: World) -> None:
    incident_id = opened(world, "shop")
    answer = world.alice.patch(f"/incidents/{incident_id}", {"impact": {"users": 312}})
    assert (answer["impact"]["users"], answer["impact"]["users_by"]) == (312, "person")
    assert (answer["impact"]["revenue"], answer["impact"]["revenue_by"]) == ("723 EUR", "catalogue")
    assert world.last(incident_id).text == "impact none → users 312, by 111122223333:user/alice"
    world.alice.patch(f"/incidents/{incident_id}", {"impact": {"revenue": "90.50 EUR"}})
    world.clock.advance(hours=1)
    assert impact(world, incident_id)["sentence"] == "312 users; 90.50 EUR lost"
    assert world.last(incident_id).data["after"] == {"impact": {"users": 312, "revenue": "90.50 EUR"}}
    world.alice.patch(f"/incidents/{incident_id}", {"impact": None})
    assert impact(world, incident_id)["users"] == 40000


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"users": -1}, "impact.users"),
        ({"revenue": "a lot"}, "impact.revenue"),
        ({"revenue": "1e9 EUR"}, "impact.revenue"),
        ({"people": 5}, "impact.people"),
    ],
)
def test_a_number_nobody_can_read_is_refused(world: World, said: dict[str, Any], told: str) -> None:
    answer = world.alice.call("PATCH", f"/incidents/{world.opened()}", {"impact": said})
    assert answer.status == 400
    assert told in str(answer.error["details"])


def test_a_reader_sees_what_triage_found(world: World) -> None:
    incident_id = world.opened(service="shop")
    assert world.alice.get(f"/incidents/{incident_id}")["context"] is None
    at = world.clock() - timedelta(minutes=6)
    suspect = Suspect(id="d-1", what="x", kind="deploy", service="shop", at=at, minutes=6, score=76, why="near")
    found = Situation(suspects=(suspect,), completeness=85, gaps=(Gap(name="runbook", todo="add it"),))
    world.table.write(situation_write(incident_id, found))
    world.table.incidents[incident_id] = world.stored(incident_id).model_copy(
        update={"subject": Subject(region="eu-west-1", alarm_name="shop-5xx")}
    )
    context = world.alice.get(f"/incidents/{incident_id}")["context"]
    assert context["suspects"][0]["sentence"] == "deploy of shop (x) 6 min before impact"
    assert (context["completeness"], context["gaps"]) == (85, [{"name": "runbook", "todo": "add it"}])
    assert context["console"] == {
        "alarm": "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/shop-5xx"
    }
