"""Who is let in, how a refusal is told, and that nothing is lost between the sender and the queue."""

import json
from base64 import b64encode
from datetime import timedelta

import pytest

from incidentio.core.integration import new_key, rotated
from tests.unit.ingest.doors import signal
from tests.unit.ingest.http.conftest import Yard

NOTHING = {"version": "4", "alerts": []}


def test_a_key_may_come_where_senders_can_put_it(yard: Yard) -> None:
    key = yard.keys["alertmanager"]
    basic = b64encode(f"incidentio:{key}".encode()).decode()
    for headers, query in (
        ({"Authorization": f"Bearer {key}"}, {}),
        ({"authorization": f"bearer {key}"}, {}),
        ({"X-Api-Key": key}, {}),
        ({"Authorization": f"Basic {basic}"}, {}),
        ({}, {"key": key}),
    ):
        assert yard.post("alertmanager", NOTHING, key=None, headers=headers, query=query).status == 202, headers


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, "no_key"),
        ("iio_alertmanager_" + "0" * 64, "unknown_key"),
        ("iio_nobody_" + "0" * 64, "unknown_key"),
        ("secret", "unknown_key"),
    ],
)
def test_others_are_refused_and_their_key_is_nowhere(
    yard: Yard, key: str | None, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = yard.post("alertmanager", {"alerts": "hush"}, key=key)
    assert (reply.status, reply.body["error"]["code"]) == (401, reason)
    assert yard.door.counts == {f"refused_{reason}": 1}
    told = capsys.readouterr().out + json.dumps(reply.body)
    assert reason in told
    assert "hush" not in told
    assert not key or key not in told


def test_a_key_opens_its_own_route_only(yard: Yard) -> None:
    reply = yard.post("signals", signal("firing", yard.desk.at(0)), key=yard.keys["alertmanager"])
    assert reply.status == 403
    assert "/webhooks/alertmanager" in reply.body["error"]["message"]
    assert yard.queue == []


def test_two_keys_are_alive_and_a_third_ends_the_first(yard: Yard) -> None:
    made = [new_key("alertmanager", at="2026-03-01T11:00:00.000Z", by="alice", request=str(n)) for n in range(3)]
    stored = yard.integrations.kept["alertmanager"]
    for _, kept in made:
        keys = rotated(stored.keys, kept, same_request=lambda each, kept=kept: each.request == kept.request)
        stored = stored.model_copy(update={"keys": keys})
    yard.integrations.kept["alertmanager"] = stored
    found = [yard.post("alertmanager", NOTHING, key=key).status for key, _ in made]
    assert found == [401, 202, 202]


def test_a_revoked_integration_is_let_in_no_more(yard: Yard) -> None:
    del yard.integrations.kept["alertmanager"]
    assert yard.post("alertmanager", NOTHING).status == 401


def test_what_the_queue_did_not_take_is_not_accepted(yard: Yard) -> None:
    yard.queue.broken = True
    reply = yard.post("signals", signal("firing", yard.desk.at(0)))
    assert (reply.status, reply.body["error"]["code"]) == (503, "unavailable")
    yard.queue.broken = False
    assert yard.post("signals", signal("firing", yard.desk.at(0))).status == 202


def test_the_day_of_use_is_written_once_a_day(yard: Yard) -> None:
    yard.post("alertmanager", NOTHING)
    yard.post("alertmanager", NOTHING)
    assert (yard.integrations.writes, yard.integrations.days) == (1, {"alertmanager": "2026-03-01"})
    yard.desk.clock.advance(days=1)
    yard.post("alertmanager", NOTHING)
    assert (yard.integrations.writes, yard.integrations.days) == (2, {"alertmanager": "2026-03-02"})


@pytest.mark.parametrize("body", ["", "{", "[1", "nul", '"\\ud800', "[" * 100_000, "9" * 5_000, "[NaN]", b"\xff\xfe"])
def test_what_is_no_json_is_the_senders_to_change(yard: Yard, body: str | bytes) -> None:
    for kind in ("alertmanager", "signals"):
        assert yard.post(kind, body).status == 400
    assert yard.post("pagerduty", body).status == 400


def test_a_body_that_is_too_large_says_so(yard: Yard) -> None:
    assert yard.post("alertmanager", " " * (4 * 1024 * 1024 + 1)).status == 413
    reply = yard.post("pagerduty", {"routing_key": yard.keys["pagerduty"], "x": "x" * 600_000}, key=None)
    assert (reply.status, reply.body["status"]) == (413, "invalid event")


def test_a_body_in_base64_is_the_same_body(yard: Yard) -> None:
    assert yard.post("signals", signal("firing", yard.desk.at(0)), base64=True).status == 202
    assert yard.delivered() == {"new": 1}


def test_integrations_do_not_reach_each_other(yard: Yard) -> None:
    yard.integration("signals", "other")
    for key in (yard.keys["signals"], yard.keys["other"]):
        yard.post("signals", signal("firing", yard.desk.at(0)), key=key)
    assert yard.delivered() == {"new": 2}
    yard.post("signals", signal("ok", yard.desk.at(1)), key=yard.keys["other"])
    assert yard.delivered() == {"recovered": 1}
    assert [incident.firing for incident in yard.desk.incidents] == [1, 0]


def test_what_an_integration_says_of_its_signals_holds_where_they_say_nothing(yard: Yard) -> None:
    key = yard.integration("signals", "shop", service="checkout", environment="staging", severity="SEV4")
    yard.post("signals", signal("firing", yard.desk.at(0), environment="production"), key=key)
    assert yard.delivered() == {"new": 1}
    incident = yard.desk.incident
    assert (incident.service, incident.environment, incident.severity) == ("checkout", "production", "SEV4")
    assert (incident.source, incident.mode, incident.mode_reason) == (
        "integration/shop", "live", "sent by integration shop",
    )  # fmt: skip
    assert incident.dedup_key == "integration/shop/canary/checkout"


def test_an_integration_that_is_watched_cannot_make_itself_live(yard: Yard) -> None:
    key = yard.integration("signals", "trial", mode="monitor")
    yard.post("signals", signal("firing", yard.desk.at(0), tags={"incidentio:page": "true", "team": "a"}), key=key)
    assert yard.signals()[0]["tags"] == {"team": "a"}
    yard.delivered()
    assert yard.desk.incident.mode == "monitor"


def test_secrets_in_a_body_do_not_reach_the_queue(yard: Yard) -> None:
    token = "AKIA" + "IOSFODNN7EXAMPLE"
    hidden = signal("firing", yard.desk.at(0), reason=f"key {token}", tags={"password": "hunter2"})
    yard.post("signals", {**hidden, "title": f"leaked {token}", "dedup_key": f"leak/{token}"})
    (message,) = yard.queue
    assert token not in message
    assert "hunter2" not in message


def test_a_signal_of_the_future_is_refused_at_the_door(yard: Yard) -> None:
    reply = yard.post("signals", signal("firing", yard.desk.at(0) + timedelta(hours=1)))
    assert reply.status == 400
    assert "future" in reply.body["error"]["message"]
