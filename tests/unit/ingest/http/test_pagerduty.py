"""Events API v2: what its senders may send, what they are told, and what becomes of it."""

import json
from typing import Any

import pytest

from tests.unit.ingest.doors import sample
from tests.unit.ingest.http.conftest import Reply, Yard

PAYLOAD = {"summary": "disk is full on db-1", "source": "db-1", "severity": "critical"}


def send(yard: Yard, action: str, dedup_key: str | None = "disk/db-1", **fields: Any) -> Reply:
    event = {"routing_key": yard.keys["pagerduty"], "event_action": action, **fields}
    if dedup_key is not None:
        event["dedup_key"] = dedup_key
    if action == "trigger":
        event.setdefault("payload", PAYLOAD)
    return yard.post("pagerduty", event, key=None)


def test_trigger_acknowledge_and_resolve_are_one_incident(yard: Yard) -> None:
    reply = send(yard, "trigger")
    assert reply == Reply(202, {"status": "success", "message": "Event processed", "dedup_key": "disk/db-1"})
    assert yard.delivered() == {"new": 1}
    incident = yard.desk.incident
    assert (incident.title, incident.severity, incident.status) == ("disk is full on db-1", "SEV1", "triggered")

    yard.desk.clock.advance(seconds=1)
    send(yard, "trigger")
    assert yard.delivered() == {"duplicate": 1}
    yard.desk.clock.advance(seconds=1)
    send(yard, "acknowledge")
    assert yard.delivered() == {"acknowledged": 1}
    assert yard.desk.incident.status == "acknowledged"
    (entry,) = [e for e in yard.desk.table.entries[incident.id] if e.type == "IncidentAcknowledged"]
    assert (entry.actor.id, entry.actor.kind) == ("integration/pagerduty", "source")

    yard.desk.clock.advance(seconds=1)
    send(yard, "resolve")
    assert yard.delivered() == {"recovered": 1}
    assert yard.desk.incident.firing == 0


def test_the_samples_tell_of_one_incident(yard: Yard) -> None:
    for action, outcome in (("trigger", "new"), ("acknowledge", "acknowledged"), ("resolve", "recovered")):
        event = json.loads(sample(f"pagerduty_{action}")) | {"routing_key": yard.keys["pagerduty"]}
        assert yard.post("pagerduty", event, key=None).body["dedup_key"] == "disk/db-1"
        assert yard.delivered() == {outcome: 1}
        yard.desk.clock.advance(seconds=1)


def test_a_key_is_made_and_told_where_there_is_none(yard: Yard) -> None:
    first, second = send(yard, "trigger", None), send(yard, "trigger", "")
    assert first.body["dedup_key"] != second.body["dedup_key"]
    assert yard.delivered() == {"new": 2}


def test_all_that_an_event_tells_is_kept(yard: Yard) -> None:
    send(
        yard,
        "trigger",
        payload={
            **PAYLOAD, "timestamp": "2026-03-01T11:58:00.000+0000", "component": "postgres", "group": "prod",
            "class": "disk", "custom_details": {"free": "1 %", "inodes": {"free": 3}},
        },
        client="Checker", client_url="https://checker.example.com",
        links=[{"href": "https://wiki.example.com/disk", "text": "wiki"}, "odd"],
        images=[{"src": "https://graphs.example.com/1.png"}],
    )  # fmt: skip
    (kept,) = yard.signals()
    assert kept["reason"] == 'free: 1 %; inodes: {"free": 3}'
    assert kept["tags"] == {
        "source": "db-1", "component": "postgres", "group": "prod", "class": "disk", "client": "Checker",
        "client_url": "https://checker.example.com", "link_1": "https://wiki.example.com/disk",
        "image_1": "https://graphs.example.com/1.png",
    }  # fmt: skip
    yard.delivered()
    assert yard.desk.incident.impact_started_at.isoformat() == "2026-03-01T11:58:00+00:00"


def test_a_senders_clock_cannot_hide_the_end(yard: Yard) -> None:
    send(yard, "trigger", payload={**PAYLOAD, "timestamp": "2026-03-01T14:00:00Z"})
    yard.desk.clock.advance(seconds=5)
    send(yard, "resolve")
    assert yard.delivered() == {"new": 1, "recovered": 1}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"event_action": "open"}, "'event_action' must be one of trigger, acknowledge, resolve"),
        ({"event_action": "resolve"}, "'dedup_key' is needed to resolve"),
        ({"event_action": "trigger"}, "'payload' is missing or not an object"),
        ({"event_action": "trigger", "payload": {**PAYLOAD, "summary": " "}}, "'payload.summary' is missing or blank"),
        ({"event_action": "trigger", "payload": {**PAYLOAD, "severity": "SEV1"}}, "'payload.severity' must be one of"),
        ({"event_action": "trigger", "payload": PAYLOAD, "dedup_key": "x" * 256}, "'dedup_key' must be a text of"),
    ],
)
def test_a_wrong_event_is_told_as_its_senders_expect(yard: Yard, event: dict[str, Any], told: str) -> None:
    reply = yard.post("pagerduty", {"routing_key": yard.keys["pagerduty"], **event}, key=None)
    assert (reply.status, reply.body["status"]) == (400, "invalid event")
    assert any(error.startswith(told) for error in reply.body["errors"])
    assert yard.queue == []


def test_a_wrong_key_is_an_invalid_event(yard: Yard) -> None:
    reply = yard.post("pagerduty", {"routing_key": "R" * 32, "event_action": "trigger"}, key=None)
    assert (reply.status, reply.body["status"]) == (400, "invalid event")
    assert yard.door.counts == {"refused_unknown_key": 1}


def test_an_acknowledgement_in_the_same_batch_finds_its_incident(yard: Yard) -> None:
    send(yard, "trigger")
    yard.desk.clock.advance(seconds=1)
    send(yard, "acknowledge")
    yard.queue.reverse()
    assert yard.delivered() == {"new": 1, "acknowledged": 1}


def test_an_acknowledgement_that_overtook_its_trigger_waits_for_it(yard: Yard) -> None:
    send(yard, "trigger")
    yard.desk.clock.advance(seconds=1)
    send(yard, "acknowledge")
    trigger, acknowledgement = yard.queue
    assert yard.desk(acknowledgement).failed == ["m0"]
    yard.desk(trigger)
    assert yard.desk(acknowledgement).failed == []
    assert yard.desk.incident.status == "acknowledged"


def test_an_acknowledgement_of_nothing_is_let_go_after_a_while(yard: Yard) -> None:
    send(yard, "acknowledge")
    yard.desk.clock.advance(minutes=3)
    assert yard.delivered() == {"ack_without_incident": 1}


def test_an_acknowledgement_comes_twice_and_is_one(yard: Yard) -> None:
    send(yard, "trigger")
    yard.desk.clock.advance(seconds=1)
    send(yard, "acknowledge")
    yard.queue.append(yard.queue[-1])
    yard.delivered()
    assert yard.desk.types.count("IncidentAcknowledged") == 1


def test_a_late_acknowledgement_does_not_silence_what_fires_anew(yard: Yard) -> None:
    send(yard, "trigger")
    yard.delivered()
    yard.desk.clock.advance(seconds=1)
    send(yard, "acknowledge")
    (late,) = yard.queue
    yard.queue.clear()
    for action in ("resolve", "trigger"):
        yard.desk.clock.advance(seconds=1)
        send(yard, action)
        yard.delivered()
    assert yard.desk(late).counts == {"ack_stale": 1}
    assert yard.desk.incident.status == "triggered"
