"""Silences and maintenance windows over the API."""

import pytest

from incidentio.core.catalog import Bundle
from tests.unit.api.conftest import World

WINDOW = {
    "name": "db-upgrade",
    "matchers": ['service="orders-db"'],
    "reason": "major version",
    "starts_at": "2026-03-01T22:00:00Z",
    "ends_at": "2026-03-01T23:30:00Z",
}
RECURRING = {
    "name": "vacuum",
    "matchers": ['service="orders-db"'],
    "reason": "weekly",
    "rrule": "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2",
    "duration": "1h",
    "timezone": "Europe/Berlin",
}


def test_a_silence_has_the_callers_name_and_lasts_an_hour(world: World) -> None:
    made = world.alice.post("/silences", {"matchers": ['service="checkout"'], "comment": "load test"})
    assert made["id"].startswith("SIL-")
    assert (made["author"], made["state"]) == ("111122223333:user/alice", "active")
    assert (made["starts_at"], made["ends_at"]) == ("2026-03-01T12:00:00.000Z", "2026-03-01T13:00:00.000Z")
    assert world.alice.get("/silences")["items"] == [made]


def test_expiring_it_keeps_it_on_record(world: World) -> None:
    made = world.alice.post(
        "/silences", {"matchers": ['service="checkout"'], "comment": "x", "starts_at": "2026-03-01T14:00:00Z"}
    )
    assert made["state"] == "pending"
    ended = world.bob.post(f"/silences/{made['id'].lower()}/expire")
    assert (ended["state"], ended["ended_by"]) == ("expired", "111122223333:user/bob")
    assert world.alice.post(f"/silences/{made['id']}/expire") == ended
    assert world.alice.get("/silences")["items"] == []
    assert world.alice.get("/silences?all=true")["items"] == [ended]


@pytest.mark.parametrize("path", ["/silences", "/maintenance"])
def test_either_may_be_tried_in_monitor_mode(world: World, path: str) -> None:
    said = {"matchers": ['service="checkout"'], "comment": "load test"}
    body = said if path == "/silences" else WINDOW
    assert world.alice.post(path, body)["mode"] == "live"
    watched = world.alice.post(path, {**body, "mode": "monitor"})
    assert watched["mode"] == "monitor"
    assert watched in world.alice.get(path)["items"]
    refused = world.alice.call("POST", path, {**body, "mode": "off"})
    assert refused.status == 400
    assert "'live' or 'monitor'" in refused.error["message"]


def test_a_secret_in_a_comment_is_masked(world: World) -> None:
    made = world.alice.post("/silences", {"matchers": ['service="x"'], "comment": "password=hunter2secret\nsecond"})
    assert "hunter2secret" not in made["comment"]
    assert "\n" not in made["comment"]


def test_the_same_key_makes_one_silence(world: World) -> None:
    body = {"matchers": ['service="x"'], "comment": "x"}
    first = world.alice.post("/silences", body, Idempotency_Key="k1")
    world.clock.advance(minutes=1)
    assert world.alice.post("/silences", body, Idempotency_Key="k1") == first
    other = world.alice.call("POST", "/silences", {**body, "comment": "y"}, Idempotency_Key="k1")
    assert other.status == 409
    assert len(world.alice.get("/silences")["items"]) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"matchers": []}, "match every incident"),
        ({"matchers": ['service=~".*"']}, "match every incident"),
        ({"matchers": ['environment=~".+"']}, "match every incident"),
        ({"matchers": ['service!="x"']}, "match every incident"),
        ({"matchers": ["service"]}, "is not a matcher"),
        ({"matchers": ['service=~"("']}, "the regular expression is wrong"),
        ({"matchers": ['title="AKIAIOSFODNN7EXAMPLE"']}, "looks like a secret"),
        ({"comment": "  "}, "comment must say something"),
        ({"comment": None}, "comment"),
        ({"duration": "soon"}, "is not a duration"),
        ({"duration": "1h", "ends_at": "2026-03-01T14:00:00Z"}, "not both"),
        ({"ends_at": "2026-03-01T11:00:00Z"}, "is over"),
        ({"duration": "400d"}, "at most a year"),
        ({"until": "x"}, "until"),
    ],
)
def test_a_wrong_silence_is_told_with_what_would_be_right(world: World, change: dict, said: str) -> None:
    body = {"matchers": ['service="checkout"'], "comment": "load test", **change}
    answer = world.alice.call("POST", "/silences", body)
    assert answer.status == 400
    assert said in answer.error["message"]


def test_everything_can_be_silenced_when_it_is_said(world: World) -> None:
    made = world.alice.post("/silences", {"everything": True, "comment": "the whole region moves"})
    assert made["matchers"] == []


def test_there_are_not_more_than_can_be_read_at_every_telling(world: World) -> None:
    for number in range(200):
        world.alice.post("/silences", {"matchers": [f'service="s{number}"'], "comment": "x"})
    answer = world.alice.call("POST", "/silences", {"matchers": ['service="x"'], "comment": "x"})
    assert answer.status == 409
    assert "200" in answer.error["message"]


def test_a_window_is_planned_ahead_and_ended_early(world: World) -> None:
    made = world.alice.post("/maintenance", WINDOW)
    assert made["id"].startswith("MNT-")
    assert (made["state"], made["next_starts_at"], made["source"]) == ("pending", "2026-03-01T22:00:00.000Z", "api")
    world.clock.advance(hours=10, minutes=10)
    (active,) = world.alice.get("/maintenance")["items"]
    assert (active["state"], active["until"]) == ("active", "2026-03-01T23:30:00.000Z")
    ended = world.bob.post(f"/maintenance/{made['id']}/end")
    assert (ended["state"], ended["ended_by"]) == ("ended", "111122223333:user/bob")
    assert world.alice.get("/maintenance")["items"] == []
    assert world.alice.get("/maintenance?all=true")["items"] == [ended]


def test_a_recurring_window_tells_its_next_start(world: World) -> None:
    made = world.alice.post("/maintenance", RECURRING)
    assert made["next_starts_at"] == "2026-03-08T01:00:00.000Z"
    assert (made["duration"], made["timezone"]) == ("1h", "Europe/Berlin")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({**WINDOW, "matchers": []}, "match every incident"),
        ({**WINDOW, "ends_at": "2026-03-01T21:00:00Z"}, "ends_at is not after starts_at"),
        ({**WINDOW, "ends_at": None}, "give starts_at and ends_at, or rrule and duration"),
        ({**WINDOW, "starts_at": "2026-02-01T21:00:00Z", "ends_at": "2026-02-01T22:00:00Z"}, "over before it begins"),
        ({**RECURRING, "duration": None}, "needs a duration"),
        ({**RECURRING, "duration": "15d"}, "at most 14d"),
        ({**RECURRING, "timezone": "Mars"}, "there is no time zone"),
        ({**RECURRING, "rrule": "FREQ=HOURLY"}, "use one of DAILY"),
    ],
)
def test_a_wrong_window_is_told_with_what_would_be_right(world: World, body: dict, said: str) -> None:
    answer = world.alice.call("POST", "/maintenance", body)
    assert answer.status == 400
    assert said in answer.error["message"]


def test_windows_of_the_catalogue_are_listed_and_end_with_a_deployment() -> None:
    window = {**RECURRING, "author": "dba"}
    world = World(Bundle.model_validate({"catalog": {"routing": {"maintenance": [window]}}}))
    (shown,) = world.alice.get("/maintenance")["items"]
    assert (shown["id"], shown["source"], shown["author"]) == ("vacuum", "catalogue", "dba")
    answer = world.alice.call("POST", "/maintenance/vacuum/end")
    assert answer.status == 409
    assert "routing.yaml" in answer.error["message"]


@pytest.mark.parametrize("path", ["/silences/SIL-000000/expire", "/maintenance/MNT-000000/end"])
def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    assert world.alice.call("POST", path).status == 404
