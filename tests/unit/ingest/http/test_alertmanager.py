"""Alertmanager's notification: one signal an alert, whatever its labels hold."""

import json
from typing import Any

import pytest

from tests.unit.ingest.doors import sample
from tests.unit.ingest.http.conftest import Yard


def notification(status: str = "firing", **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(sample("alertmanager_firing"))
    for alert in body["alerts"]:
        alert.update({"status": status, **changes})
    return body


def test_an_alert_becomes_a_signal_with_all_it_tells(yard: Yard) -> None:
    assert yard.post("alertmanager", notification()).body == {"status": "accepted", "accepted": 2}
    first, second = yard.signals()
    assert first["dedup_key"] == "integration/alertmanager/c3b9a1f7d5e20846"
    assert first["title"] == "Checkout answers 12 % of requests with 5xx"
    assert first["reason"] == "Above 5 % for five minutes on checkout-7d9f."
    assert (first["severity"], first["service"], first["environment"]) == ("SEV1", "checkout", "production")
    assert first["impact_started_at"] == "2026-03-01T11:55:12.345Z"
    assert first["tags"]["pod"] == "checkout-7d9f"
    assert first["tags"]["runbook_url"] == "https://runbooks.example.com/checkout-5xx"
    assert first["tags"]["generator_url"].startswith("http://prometheus.example.com:9090/graph")
    assert second["title"] == "HighErrorRate", "without a summary it is the alert's name"
    assert yard.delivered() == {"new": 2}


def test_alerts_that_the_sender_left_out_are_counted(yard: Yard) -> None:
    assert yard.post("alertmanager", {**notification(), "truncatedAlerts": 25}).status == 202
    assert (yard.door.counts["signals_taken"], yard.door.counts["signals_left_out"]) == (2, 25)
    for none in (0, None, "many"):
        assert yard.post("alertmanager", {**notification(), "truncatedAlerts": none}).status == 202
    assert yard.door.counts["signals_left_out"] == 25


def test_firing_again_and_resolved_end_in_one_incident(yard: Yard) -> None:
    for name, outcome in (("firing", "new"), ("firing", "duplicate"), ("resolved", "recovered")):
        yard.post("alertmanager", sample(f"alertmanager_{name}"))
        assert yard.delivered() == {outcome: 2}
        yard.desk.clock.advance(minutes=1)


def test_what_grafana_sends_is_read_the_same_way(yard: Yard) -> None:
    assert yard.post("alertmanager", sample("grafana_firing")).body == {"status": "accepted", "accepted": 2}
    first, second = yard.signals()
    assert first["dedup_key"] == "integration/alertmanager/8f0d2c6be1a37495"
    assert (first["title"], first["reason"]) == (
        "Queue of orders holds 4,212 messages", "More than 1,000 for ten minutes.",
    )  # fmt: skip
    assert first["impact_started_at"] == "2026-03-01T11:51:03.157Z"
    assert first["tags"]["generator_url"].startswith("https://grafana.example.com/alerting/grafana/bdq1queue")
    assert [(s["severity"], s["service"]) for s in (first, second)] == [("SEV1", "orders"), ("SEV3", "mails")]


def test_an_alert_that_expired_and_comes_back_with_its_old_start_is_heard(yard: Yard) -> None:
    for status in ("firing", "resolved"):
        yard.post("alertmanager", notification(status, endsAt="2026-03-01T12:05:00Z"))
        yard.delivered()
        yard.desk.clock.advance(minutes=1)
    yard.post("alertmanager", notification("firing"))
    assert yard.delivered() == {"fires_again": 2}


def test_without_a_fingerprint_the_labels_are_the_key(yard: Yard) -> None:
    yard.post("alertmanager", notification(fingerprint=None))
    body = notification(fingerprint="")
    for alert in body["alerts"]:
        alert["labels"] = dict(reversed(alert["labels"].items()))
    yard.post("alertmanager", body)
    keys = [kept["dedup_key"] for kept in yard.signals()]
    assert keys[:2] == keys[2:]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"version": "4"}, {"version": "4", "alerts": {}}, {"version": "1", "alerts": [1]}, notification("pending"),
        notification(labels=None),
    ],
)  # fmt: skip
def test_what_is_no_notification_is_refused_whole(yard: Yard, body: Any) -> None:
    reply = yard.post("alertmanager", body)
    assert (reply.status, reply.body["error"]["code"]) == (400, "malformed")
    assert "version" not in reply.body["error"]["message"]
    assert yard.queue == []


@pytest.mark.parametrize("version", ["3", "5", "", 4, 1, None, ["4"], ...])
def test_of_another_version_nothing_is_guessed_and_the_answer_says_which_are_read(yard: Yard, version: Any) -> None:
    body = {**notification(), "version": version}
    reply = yard.post("alertmanager", {name: value for name, value in body.items() if value is not ...})
    assert (reply.status, reply.body["error"]["code"]) == (400, "malformed")
    assert '`version` must be "4"' in reply.body["error"]["message"]
    assert yard.queue == []


def test_what_grafana_sends_is_read_the_same(yard: Yard) -> None:
    """As documented: version 1, with fields of its own beside those of Alertmanager."""
    own = {"orgId": 1, "title": "[FIRING:2]", "state": "alerting", "message": "**Firing**", "truncatedAlerts": 0}
    yard.post("alertmanager", notification())
    yard.post("alertmanager", {**notification(values={"B": 44.2}, dashboardURL="", panelURL=""), "version": "1", **own})
    told = yard.signals()
    assert len(told) == 4
    assert told[2:] == told[:2]


def test_a_label_that_holds_a_secret_names_no_service(yard: Yard) -> None:
    labels = {
        "alertname": "x",
        "service": "AKIAIOSFODNN7EXAMPLE",
        "environment": "AKIAIOSFODNN7EXAMPLE",
        "env": "staging",
    }
    yard.post("alertmanager", notification(labels=labels))
    kept = yard.signals()[0]
    assert (kept["service"], kept["environment"]) == (None, "staging")
    assert "AKIAIOSFODNN7EXAMPLE" not in "".join(yard.queue)


def test_labels_nobody_knows_are_kept_as_tags_and_decide_nothing(yard: Yard) -> None:
    labels = {"alertname": "x", "severity": "page", "service": "not a name", "env": "staging"}
    yard.post("alertmanager", notification(labels=labels, annotations="none", startsAt="soon"))
    kept = yard.signals()[0]
    assert (kept["severity"], kept["service"]) == (None, None)
    assert kept["environment"] == "staging"
    assert kept["tags"]["severity"] == "page"
    assert yard.delivered() == {"new": 2}
