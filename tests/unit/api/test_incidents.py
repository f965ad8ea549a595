"""Opening, listing, reading and correcting."""

from typing import Any
from urllib.parse import urlencode

import pytest

from incidentio.core.members import pointer_key
from incidentio.core.ports import Put, Record
from incidentio.core.severity import Severity
from incidentio.ingest.http.outgoing import scoped
from tests.unit.api.conftest import World

TIMES = [
    "impact_started_at", "detected_at", "triaged_at", "acknowledged_at", "mitigated_at", "resolved_at", "closed_at",
]  # fmt: skip


def test_an_incident_opened_by_hand_has_everything_a_reader_expects(world: World) -> None:
    answer = world.alice.call(
        "POST",
        "/incidents",
        {"title": " checkout 5xx ", "severity": "critical", "service": "checkout", "note": "see graph"},
    )
    assert answer.status == 201
    incident = answer.body
    assert incident["status"] == "triggered"
    assert incident["severity"] == "SEV1"
    assert incident["title"] == "checkout 5xx"
    assert incident["version"] == 1
    assert {name: incident[name] for name in TIMES} == {
        **dict.fromkeys(TIMES),
        "impact_started_at": "2026-03-01T12:00:00.000Z",
        "detected_at": "2026-03-01T12:00:00.000Z",
    }
    assert incident["links"]["timeline"] == f"/incidents/{incident['id']}/timeline"
    assert world.alice.get(f"/incidents/{incident['id']}") == incident
    entry = world.last(incident["id"])
    assert (entry.type, entry.actor.id, entry.actor.kind) == ("IncidentTriggered", "111122223333:user/alice", "person")
    assert entry.data["note"] == "see graph"
    assert world.stored(incident["id"]).severity_set


def test_without_a_severity_triage_is_free_to_choose(world: World) -> None:
    stored = world.stored(world.opened())
    assert stored.severity is Severity.SEV3
    assert not stored.severity_set


def test_secrets_in_title_and_note_are_masked(world: World) -> None:
    incident_id = world.opened(title="key AKIAIOSFODNN7EXAMPLE leaked", note="password=hunter2hunter2")
    assert "AKIA" not in world.stored(incident_id).title
    assert "hunter2" not in world.last(incident_id).model_dump_json()


def test_the_clocks_are_seconds(world: World) -> None:
    incident_id = world.opened(impact_started_at="2026-03-01T13:58:00+02:00")
    world.clock.advance(minutes=3)
    world.alice.post(f"/incidents/{incident_id}/mitigate")
    assert world.alice.get(f"/incidents/{incident_id}")["clocks"] == {
        "mttd": 120.0, "mtta": None, "mttm": 180.0, "mttr": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "200"),
        ({"title": "x", "severity": "SEV9"}, "SEV1"),
        ({"title": "x", "kind": "joke"}, "drill"),
        ({"title": "x", "service": "a b"}, "service"),
        ({"title": "x", "colour": "red"}, "colour"),
        ({"title": "x", "impact_started_at": "2026-03-01T12:00:00"}, "timezone"),
        ({"title": "x", "impact_started_at": "2026-03-02T12:00:00Z"}, "future"),
        ({"title": 7}, "title"),
        (["title"], "body"),
        (None, "body"),
    ],
)
def test_a_wrong_body_is_told_where_and_what(world: World, body: object, says: str) -> None:
    answer = world.alice.call("POST", "/incidents", body)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_input"
    assert says in answer.error["message"]
    assert len(world.table) == 0


def test_an_oversized_note_is_a_413_with_the_limit(world: World) -> None:
    answer = world.alice.call("POST", "/incidents", {"title": "x", "note": "é" * 2049})
    assert answer.status == 413
    assert answer.error["details"] == {"field": "note", "limit": 4096, "actual": 4098}


def test_the_same_key_opens_one_incident(world: World) -> None:
    body = {"title": "once"}
    first = world.alice.post("/incidents", body, Idempotency_Key="k1")
    assert world.alice.post("/incidents", body, Idempotency_Key="k1")["id"] == first["id"]
    assert world.bob.post("/incidents", body, Idempotency_Key="k1")["id"] != first["id"]
    assert world.alice.post("/incidents", body, Idempotency_Key="k2")["id"] != first["id"]
    reused = world.alice.call("POST", "/incidents", {"title": "other"}, Idempotency_Key="k1")
    assert (reused.status, reused.error["code"]) == (409, "conflict")
    assert len(world.table) == 3


@pytest.mark.parametrize("key", ["", "x" * 129])
def test_a_key_has_1_to_128_characters(world: World, key: str) -> None:
    assert world.alice.call("POST", "/incidents", {"title": "x"}, Idempotency_Key=key).status == 400


def test_lists_are_filtered_and_paged(world: World) -> None:
    ids = []
    for n in range(5):
        ids.append(world.opened(title=f"n{n}", severity=f"SEV{n % 2 + 1}", service="checkout" if n < 2 else None))
        world.clock.advance(seconds=1)
    world.alice.post(f"/incidents/{ids[0]}/resolve")
    found, path = [], "/incidents?limit=2"
    while path:
        page = world.alice.get(path)
        assert len(page["items"]) <= 2
        found += [card["id"] for card in page["items"]]
        path = f"/incidents?limit=2&cursor={page['next']}" if page["next"] else ""
    assert found == ids[::-1]
    assert [c["id"] for c in world.alice.get("/incidents?status=open&service=checkout")["items"]] == [ids[1]]
    assert [c["id"] for c in world.alice.get("/incidents?status=resolved")["items"]] == [ids[0]]
    assert [c["title"] for c in world.alice.get("/incidents?severity=2&status=open")["items"]] == ["n3", "n1"]
    assert world.alice.get("/incidents?kind=drill") == {"items": [], "next": None}


@pytest.mark.parametrize(
    "named",
    [
        "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:orders 5xx",
        "orders 5xx",
    ],
)
def test_a_signal_tells_the_incident_it_went_to_whatever_became_of_it(world: World, named: str) -> None:
    incident_id = world.opened(title="checkout 5xx", severity="SEV2", service="checkout")
    world.opened()
    arn = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:orders 5xx"
    world.table.write(Put(Record(pointer_key(arn), {"open": False, "inhibited": True, "incident_id": incident_id})))
    listed = next(card for card in world.alice.get("/incidents")["items"] if card["id"] == incident_id)
    path = f"/incidents?{urlencode({'signal': named})}"
    assert world.alice.get(path) == {"items": [listed], "next": None}
    world.alice.post(f"/incidents/{incident_id}/resolve")
    assert [card["status"] for card in world.alice.get(path)["items"]] == ["resolved"]


def test_a_dedup_key_is_taken_before_the_alarm_of_that_name(world: World) -> None:
    own, alarm = world.opened(), world.opened()
    arn = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:canary"
    for key, incident_id in (("canary", own), (arn, alarm)):
        world.table.write(Put(Record(pointer_key(key), {"open": True, "incident_id": incident_id})))
    assert [card["id"] for card in world.alice.get("/incidents?signal=canary")["items"]] == [own]


def test_a_key_that_only_ever_was_ok_hides_no_alarm_of_its_name(world: World) -> None:
    incident_id = world.opened()
    arn = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:canary"
    world.table.write(Put(Record(pointer_key("canary"), {"open": False, "fence": "2026"})))
    world.table.write(Put(Record(pointer_key(arn), {"open": True, "incident_id": incident_id})))
    assert [card["id"] for card in world.alice.get("/incidents?signal=canary")["items"]] == [incident_id]


@pytest.mark.parametrize("key", ["disk/db-1", "disk of db 1", "k" * 250])
def test_a_signal_over_http_is_found_by_what_its_sender_calls_it(world: World, key: str) -> None:
    before, last = world.opened(), world.opened()
    for name in ("grafana", "pd", "zabbix"):
        world.alice.post("/integrations", {"name": name, "kind": "pagerduty"})
    for name, incident_id, at in (("pd", last, "2026-03-04T09:00:01Z"), ("zabbix", before, "2026-03-04T09:00:00Z")):
        pointer = {"open": True, "incident_id": incident_id, "last_seen_at": at}
        world.table.write(Put(Record(pointer_key(scoped(name, key)), pointer)))
    path = f"/incidents?{urlencode({'signal': key})}"
    assert [card["id"] for card in world.alice.get(path)["items"]] == [last]
    world.table.write(Put(Record(pointer_key(key), {"open": True, "incident_id": before})))
    assert [card["id"] for card in world.alice.get(path)["items"]] == [before]


@pytest.mark.parametrize(
    "pointer", [None, {"open": False, "fence": "2026"}, {"open": False, "incident_id": "INC-GONE00"}]
)
def test_a_signal_that_went_nowhere_is_in_no_list(world: World, pointer: dict[str, Any] | None) -> None:
    world.opened()
    if pointer:
        world.table.write(Put(Record(pointer_key("canary"), pointer)))
    assert world.alice.get("/incidents?signal=canary") == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("signal=a&status=open", "no other filter"),
        ("signal=a&cursor=x", "no other filter"),
        ("signal=", "signal"),
        ("status=opened", "acknowledged"),
        ("severity=huge", "SEV1"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("cursor=zzz", "cursor"),
        ("servce=checkout", "service"),
    ],
)
def test_a_wrong_query_is_told_what_would_be_right(world: World, query: str, says: str) -> None:
    answer = world.alice.call("GET", f"/incidents?{query}")
    assert answer.status == 400
    assert says in answer.error["message"]


def test_corrections_are_recorded_with_before_and_after(world: World) -> None:
    incident_id = world.opened()
    changed = world.alice.patch(
        f"/incidents/{incident_id}", {"title": "orders 5xx", "service": "orders-db"}, If_Match='"1"'
    )
    assert (changed["title"], changed["service"], changed["version"]) == ("orders 5xx", "orders-db", 2)
    entry = world.last(incident_id)
    assert entry.type == "IncidentUpdated"
    assert entry.data["before"] == {"service": None, "title": "checkout 5xx"}
    assert world.alice.patch(f"/incidents/{incident_id}", {"service": None})["service"] is None
    assert world.alice.patch(f"/incidents/{incident_id}", {"title": "orders 5xx"})["version"] == 3
    for body in ({}, {"title": None}, {"environment": None}, {"status": "closed"}):
        assert world.alice.call("PATCH", f"/incidents/{incident_id}", body).status == 400


def test_an_id_is_heard_as_it_is_spoken(world: World) -> None:
    incident_id = world.opened()
    spoken = incident_id.lower().replace("0", "o").replace("1", "l")
    assert world.alice.get(f"/incidents/{spoken}")["id"] == incident_id


def test_unknown_and_malformed_ids(world: World) -> None:
    assert world.alice.call("GET", "/incidents/INC-000000").error["details"] == {"incident_id": "INC-000000"}
    assert world.alice.call("GET", "/incidents/INC-000000").status == 404
    malformed = world.alice.call("GET", "/incidents/nonsense")
    assert malformed.status == 400
    assert "INC-7K3F9A" in malformed.error["message"]
