"""Silences and maintenance windows over the API."""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.core import quiet
from incidentio.core.bundle import Bundle
from incidentio.core.maintenance import Maintenance, Window
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


EDGES = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+12:00", "1999-12-31T23:59:59Z",
    "2201-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00",
]  # fmt: skip
BROKEN = "MNT-00BR0K"


def keep_broken(world: World, rrule: str = "FREQ=WEEKLY;INTERVAL=-1", **given: Any) -> None:
    """As it was kept when such a rule was taken."""
    named = {**RECURRING, "author": "ana", "starts_at": world.clock() - timedelta(days=1), **given}
    quiet.add(world.table, Window(
        id=BROKEN, created_at=world.clock(), maintenance=Maintenance.model_validate({**named, "rrule": rrule})
    ))  # fmt: skip


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
        ({**RECURRING, "duration": "9999999999d"}, "longer than anything"),
    ],
)
def test_a_wrong_window_is_told_with_what_would_be_right(world: World, body: dict, said: str) -> None:
    answer = world.alice.call("POST", "/maintenance", body)
    assert answer.status == 400
    assert said in answer.error["message"]


def test_windows_of_the_catalogue_are_listed_and_end_with_a_deployment() -> None:
    window = {**RECURRING, "author": "dba"}
    world = World(Bundle.of({"catalog": {"routing": {"maintenance": [window]}}}))
    (shown,) = world.alice.get("/maintenance")["items"]
    assert (shown["id"], shown["source"], shown["author"]) == ("vacuum", "catalogue", "dba")
    answer = world.alice.call("POST", "/maintenance/vacuum/end")
    assert answer.status == 409
    assert "routing.yaml" in answer.error["message"]


@pytest.mark.parametrize("path", ["/silences/SIL-000000/expire", "/maintenance/MNT-000000/end"])
def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    assert world.alice.call("POST", path).status == 404


@pytest.mark.parametrize("starts_at", [None, "2026-02-01T11:00:00Z", "2026-03-02T11:00:00Z"])
@pytest.mark.parametrize("often", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
@pytest.mark.parametrize("part", ["INTERVAL=0", "INTERVAL=00", "INTERVAL=-1", "INTERVAL=99999999999", "COUNT=0"])
def test_a_rule_that_could_not_be_evaluated_later_is_not_taken(
    world: World, often: str, part: str, starts_at: str | None
) -> None:
    body = {**RECURRING, "rrule": f"FREQ={often};{part}", "starts_at": starts_at}
    answer = world.alice.call("POST", "/maintenance", body)
    assert answer.status == 400
    assert f"no {part.replace('=', ' is ')}: it is 1 to 1000" in answer.error["message"]
    assert world.alice.get("/maintenance?all=true")["items"] == []


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
@pytest.mark.parametrize("moment", EDGES)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_a_moment_in_a_year_that_no_calendar_has_is_not_taken(world: World, moment: str, field: str, zone: str) -> None:
    silence = {"matchers": ['service="x"'], "comment": "x", field: moment}
    for path, body in [
        ("/silences", silence), ("/maintenance", {**WINDOW, field: moment}),
        ("/maintenance", {**RECURRING, "timezone": zone, field: moment}),
    ]:  # fmt: skip
        answer = world.alice.call("POST", path, body)
        assert answer.status == 400
        assert f"{field}: is out of range" in answer.error["message"]


@pytest.mark.parametrize("moment", ["2000-01-01T00:00:00Z", "2200-12-31T23:59:59Z"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_the_first_and_the_last_moment_that_is_taken_break_nothing(world: World, moment: str, zone: str) -> None:
    for field in ("starts_at", "ends_at"):
        silence = {"matchers": ['service="x"'], "comment": "x", field: moment}
        assert world.alice.call("POST", "/silences", silence).status in (201, 400)
        for body in ({**WINDOW, field: moment}, {**RECURRING, "timezone": zone, field: moment}):
            assert world.alice.call("POST", "/maintenance", body).status in (201, 400)
    assert world.alice.get("/maintenance?all=true")["items"]
    assert world.defects == []


@pytest.mark.parametrize("duration", ["9999999999d", "999999999d", "3000000d", "366d1s"])
def test_a_silence_for_ever_is_not_taken(world: World, duration: str) -> None:
    body = {"matchers": ['service="x"'], "comment": "x", "duration": duration}
    answer = world.alice.call("POST", "/silences", body)
    assert answer.status == 400


@pytest.mark.parametrize("name", ["AKIAIOSFODNN7EXAMPLE", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"])
def test_a_window_named_like_a_secret_is_refused_and_the_name_is_not_repeated(world: World, name: str) -> None:
    answer = world.alice.call("POST", "/maintenance", {**WINDOW, "name": name})
    assert answer.status == 400
    assert "name: holds what looks like a secret" in str(answer.error)
    assert name not in str(answer.body)
    assert name not in str(world.table.records)


@pytest.mark.parametrize(
    "kept",
    [
        {"rrule": "FREQ=WEEKLY;INTERVAL=-1"},
        {"rrule": "FREQ=DAILY;INTERVAL=00"},
        {"rrule": "FREQ=DAILY;BYHOUR=99"},
        {"rrule": "FREQ=DAILY", "timezone": "Mars/Olympus"},
        {"rrule": "FREQ=DAILY", "starts_at": "0001-01-01T00:00:00Z", "timezone": "America/New_York"},
    ],
)
def test_a_window_that_cannot_be_evaluated_is_listed_first_and_can_be_ended(world: World, kept: dict) -> None:
    made = world.alice.post("/maintenance", RECURRING)
    keep_broken(world, **kept)
    broken, other = world.alice.get("/maintenance")["items"]
    assert (broken["id"], broken["state"], broken["until"], broken["next_starts_at"]) == (BROKEN, "broken", None, None)
    assert broken["problem"]
    assert other == made
    ended = world.bob.post(f"/maintenance/{BROKEN}/end")
    assert (ended["state"], ended["ended_by"], ended["problem"]) == ("ended", "111122223333:user/bob", None)
    assert world.bob.post(f"/maintenance/{BROKEN}/end") == ended
    assert world.alice.get("/maintenance")["items"] == [made]
    assert quiet.quiets_at(world.table, (), world.clock()).broken == ()


def test_a_window_of_the_catalogue_that_cannot_be_evaluated_is_listed() -> None:
    window = {**RECURRING, "author": "dba", "starts_at": "2026-01-01T00:00:00Z", "rrule": "FREQ=DAILY;INTERVAL=-1"}
    world = World(Bundle.of({"catalog": {"routing": {"maintenance": [window]}}}))
    (shown,) = world.alice.get("/maintenance")["items"]
    assert (shown["id"], shown["state"]) == ("vacuum", "broken")


def test_why_says_which_window_holds_nothing_back(world: World) -> None:
    keep_broken(world)
    answer = world.alice.get(f"/incidents/{world.opened()}/why")["answer"]
    assert any(said.startswith(f"{BROKEN} holds nothing back, as it cannot be evaluated") for said in answer)
