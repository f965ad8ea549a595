"""Our own contract and CloudEvents over HTTP, signed or not."""

import hmac
import json
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import pytest

from incidentio.core.integration import SigningSecret, new_signing_secret
from tests.unit.ingest.doors import sample, signal
from tests.unit.ingest.http.conftest import Yard

STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCHED = {"content-type": "application/cloudevents-batch+json"}


def test_a_list_is_taken_whole_and_the_keys_are_told(yard: Yard) -> None:
    signals = [signal("firing", yard.desk.at(0), dedup_key=f"canary/{n}") for n in range(100)]
    reply = yard.post("signals", signals)
    assert (reply.status, reply.body["accepted"]) == (202, 100)
    assert reply.body["dedup_keys"][7] == "integration/signals/canary/7"
    assert len(yard.queue) == 100


@pytest.mark.parametrize("number", [0, 101])
def test_too_many_or_none_are_refused(yard: Yard, number: int) -> None:
    assert yard.post("signals", [signal("firing", yard.desk.at(0))] * number).status == 400


def test_one_wrong_signal_is_named_and_none_is_taken(yard: Yard) -> None:
    reply = yard.post("signals", [signal("firing", yard.desk.at(0)), signal("on fire", yard.desk.at(0), sevrity="x")])
    (problem,) = reply.body["error"]["details"]["problems"]
    assert problem.startswith("1: signal/v1: ")
    assert "state" in problem
    assert "sevrity" in problem
    assert yard.queue == []


def test_sent_twice_is_one(yard: Yard) -> None:
    for _ in range(2):
        yard.post("signals", signal("firing", yard.desk.at(0)))
    assert yard.delivered() == {"new": 2}, "both of one batch"
    assert len(yard.desk.incidents) == 1


def test_a_key_or_name_that_holds_a_secret_is_kept_as_a_hash_or_not_at_all(yard: Yard) -> None:
    yard.integration("signals", service="orders")
    secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
    for state, seconds in (("firing", 0), ("ok", 1)):
        told = signal(state, yard.desk.at(seconds), dedup_key=f"user/{secret}", service=secret, environment=secret)
        assert yard.post("signals", told).status == 202
    assert secret not in "".join(yard.queue)
    yard.delivered()
    assert yard.desk.types == ["IncidentTriggered", "SignalRecovered"]
    assert yard.desk.incident.service == "orders"


# --- CloudEvents


def test_an_event_of_another_kind_becomes_a_signal(yard: Yard) -> None:
    assert yard.post("signals", sample("cloudevents_structured"), headers=STRUCTURED).status == 202
    (kept,) = yard.signals()
    assert kept["dedup_key"] == "integration/signals//canaries/checkout#checkout"
    assert (kept["state"], kept["title"], kept["severity"], kept["service"]) == (
        "firing", "Checkout canary fails", "SEV2", "checkout",
    )  # fmt: skip
    assert kept["reason"] == "3 of 3 runs failed at the payment step"
    assert kept["changed_at"] == "2026-03-01T11:59:30.000Z"
    assert kept["tags"]["ce_type"] == "com.example.canary.failed"


@pytest.mark.parametrize(
    ("type", "state", "expected"),
    [
        ("a.failed", None, "firing"),
        ("a.Recovered", None, "ok"),
        ("a.failed", "ok", "ok"),
        ("a.closed", "note", "note"),
        ("a.failed", "Resolved", "ok"),
        ("a.closed", "ALARM", "firing"),
        ("a.closed", "CA", "ok"),
    ],
)
def test_the_state_is_in_the_data_or_in_the_type(yard: Yard, type: str, state: str | None, expected: str) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/a", "type": type, "data": {"state": state}}
    assert yard.post("signals", event, headers=STRUCTURED).status == 202
    assert yard.signals()[0]["state"] == expected


def test_without_a_subject_what_fails_and_recovers_is_one_signal(yard: Yard) -> None:
    for number, type in enumerate(
        ("com.example.canary.failed", "com.example.canary.recovered", "com.example.disk.full")
    ):
        event = {"specversion": "1.0", "id": str(number), "source": "/canaries", "type": type}
        assert yard.post("signals", event, headers=STRUCTURED).status == 202
    keys = [kept["dedup_key"].removeprefix("integration/signals/") for kept in yard.signals()]
    assert keys == ["/canaries#com.example.canary", "/canaries#com.example.canary", "/canaries#com.example.disk.full"]


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8"])
def test_base64_of_a_text_is_a_text_as_well(yard: Yard, kind: str) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/canaries", "type": "x.failed", "datacontenttype": kind}
    encoded = b64encode(b"three runs failed").decode()
    assert yard.post("signals", {**event, "data_base64": encoded}, headers=STRUCTURED).status == 202
    (kept,) = yard.signals()
    assert kept["reason"] == "three runs failed"
    del event["datacontenttype"]
    assert yard.post("signals", {**event, "data_base64": encoded}, headers=STRUCTURED).status == 400


def test_an_event_that_carries_a_signal_is_that_signal(yard: Yard) -> None:
    own = signal("firing", yard.desk.at(0))
    event = {"specversion": "1.0", "id": "1", "source": "/a", "type": "incidentio.signal"}
    encoded = b64encode(json.dumps(own).encode()).decode()
    yard.post("signals", {**event, "data": own}, headers=STRUCTURED)
    yard.post("signals", [{**event, "data": own}, {**event, "data_base64": encoded}], headers=BATCHED)
    headers = {"Ce-Specversion": "1.0", "Ce-Id": "1", "Ce-Source": "/a", "Ce-Type": "incidentio.signal"}
    yard.post("signals", own, headers=headers)
    assert {kept["dedup_key"] for kept in yard.signals()} == {"integration/signals/canary/checkout"}
    assert len(yard.queue) == 4
    assert yard.post("signals", {**own, "state": "on fire"}, headers=headers).status == 400


def test_attributes_in_headers_are_percent_encoded(yard: Yard) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/ofen", "ce-type": "hot", "ce-subject": "K%C3%BCche",
        "content-type": "text/plain",
    }  # fmt: skip
    yard.post("signals", "it burns", headers=headers)
    (kept,) = yard.signals()
    assert (kept["title"], kept["reason"]) == ("Küche", "it burns")


def test_attributes_in_headers_may_be_in_quotes(yard: Yard) -> None:
    headers = {"ce-specversion": '"1.0"', "ce-id": "1", "ce-source": "/a", "ce-type": "hot"}
    yard.post("signals", {}, headers={**headers, "ce-subject": r'''"the \"big\" oven %C3%BC"'''})
    (kept,) = yard.signals()
    assert kept["title"] == 'the "big" oven ü'


def test_a_copy_of_the_attributes_in_headers_makes_no_other_event_of_it(yard: Yard) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/a", "type": "x", "data": {"state": "ok", "dedup_key": "oven"}}
    copied = {f"ce-{name}": str(event[name]) for name in ("specversion", "id", "source", "type")}
    yard.post("signals", event, headers={**STRUCTURED, **copied})
    (kept,) = yard.signals()
    assert (kept["dedup_key"], kept["state"]) == ("integration/signals/oven", "ok")


def test_a_batch_may_be_empty(yard: Yard) -> None:
    assert yard.post("signals", [], headers=BATCHED).body == {"status": "accepted", "accepted": 0, "dedup_keys": []}
    assert yard.queue == []


@pytest.mark.parametrize(
    "changes", [{"specversion": "0.3"}, {"id": ""}, {"source": None}, {"type": 4}, {"data_base64": "§"}]
)
def test_an_event_without_its_attributes_is_refused(yard: Yard, changes: dict[str, Any]) -> None:
    event = {**json.loads(sample("cloudevents_structured")), **changes}
    assert yard.post("signals", event, headers=STRUCTURED).status == 400


# --- signatures


def signed(secret: str, body: str, *, at: float, id: str = "msg_1") -> dict[str, str]:
    content = f"{id}.{int(at)}.{body}".encode()
    digest = hmac.new(b64decode(secret.removeprefix("whsec_")), content, sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": f"v1a,other v1,{b64encode(digest).decode()}",
    }


@pytest.fixture
def secrets(yard: Yard) -> list[str]:
    """Those of the integration `sealed`, the newest first."""
    yard.integration("signals", "sealed", signed=True)
    made = [new_signing_secret(), new_signing_secret()]
    yard.secrets.put("sealed", [SigningSecret(each) for each in made])
    return made


def test_each_live_secret_signs_and_a_repeat_does_no_harm(yard: Yard, secrets: list[str]) -> None:
    body = json.dumps(signal("firing", yard.desk.at(0)), ensure_ascii=False)
    for secret in (*secrets, secrets[0]):
        headers = signed(secret, body, at=yard.desk.clock().timestamp() - 290)
        for base64 in (False, True):
            assert yard.post("signals", body, headers=headers, key=yard.keys["sealed"], base64=base64).status == 202
    yard.delivered()
    assert len(yard.desk.incidents) == 1


def test_what_is_not_signed_right_is_refused_and_says_why(yard: Yard, secrets: list[str]) -> None:
    body, now = json.dumps(signal("firing", yard.desk.at(0))), yard.desk.clock().timestamp()
    good = signed(secrets[0], body, at=now)
    cases = {
        "not_signed": {},
        "wrong_time": signed(secrets[0], body, at=now - 301),
        "wrong_signature": {**good, "webhook-signature": "v1,AAAA v1,é"},
    }
    for reason, headers in cases.items():
        reply = yard.post("signals", body, headers=headers, key=yard.keys["sealed"])
        assert (reply.status, reply.body["error"]["code"]) == (401, reason)
    for headers in (
        signed(secrets[0], body, at=now + 301),
        {**good, "webhook-timestamp": "soon"},
        {**good, "webhook-id": "msg_2"},
        signed(new_signing_secret(), body, at=now),
    ):
        assert yard.post("signals", body, headers=headers, key=yard.keys["sealed"]).status == 401
    assert yard.post("signals", body + " ", headers=good, key=yard.keys["sealed"]).status == 401
    assert yard.queue == []


def test_a_signature_alone_opens_nothing(yard: Yard, secrets: list[str]) -> None:
    body = json.dumps(signal("firing", yard.desk.at(0)))
    headers = signed(secrets[0], body, at=yard.desk.clock().timestamp())
    assert yard.post("signals", body, headers=headers, key=None).body["error"]["code"] == "no_key"
