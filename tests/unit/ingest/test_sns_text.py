"""Any publisher on the signal topic: what its attributes say, and what is made of a message that has none."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, Signal, SignalState
from incidentio.ingest.message import read
from incidentio.ingest.observation import Observation, Unreadable
from tests.unit.ingest.doors import TOPIC, Desk

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def published(
    text: str, *, subject: str | None = "Import failed", at: datetime = NOW, **attributes: str
) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "TopicArn": TOPIC,
        "Subject": subject,
        "Message": text,
        "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "MessageAttributes": {name: {"Type": "String", "Value": value} for name, value in attributes.items()},
    }


def signal(envelope: dict[str, Any]) -> Signal:
    found = read(json.dumps(envelope), attachment=Attachment("incidentio", Catalog()), now=NOW)
    assert isinstance(found, Observation)
    return found.build(NOW)


def test_attributes_say_everything() -> None:
    found = signal(
        published(
            "12 % fail", dedup_key="prom/errors", state="resolved", severity="critical", service="checkout", az="a"
        )
    )
    assert (found.dedup_key, found.state, found.severity) == ("prom/errors", SignalState.OK, Severity.SEV1)
    assert (found.service, found.tags, found.mode) == ("checkout", {"az": "a"}, Mode.LIVE)
    assert (found.title, found.reason) == ("Import failed", "12 % fail")


def test_without_attributes_the_subject_is_one_signal_and_it_fires() -> None:
    first, again, other = (signal(published(t, subject=s)) for t, s in [("1", "a"), ("2", "a"), ("1", "b")])
    assert first.dedup_key == again.dedup_key != other.dedup_key
    assert first.state is SignalState.FIRING


def test_without_a_subject_the_first_line_stands_for_it() -> None:
    found = signal(published("disk full\non host 7", subject=None))
    assert found.title == "disk full"
    assert found.dedup_key == signal(published("disk full\non host 8", subject=None)).dedup_key


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("state", "sideways"), ("severity", "awful"), ("service", "no such\nname"), ("dedup_key", "x" * 2000)],
)
def test_an_attribute_nobody_understands_loses_nothing(attribute: str, value: str) -> None:
    found = signal(published("text", **{attribute: value}))
    assert (found.state, found.severity, found.service) == (SignalState.FIRING, None, None)
    assert len(found.dedup_key) < 300


def test_json_that_is_no_contract_is_a_text() -> None:
    found = signal(published('{"hello": 1}'))
    assert (found.title, found.reason) == ("Import failed", '{"hello": 1}')


def test_secrets_and_control_characters_are_taken_out() -> None:
    found = signal(published("password=hunter2\r\nBcc: x", subject="a\r\nb", note="AKIAIOSFODNN7EXAMPLE"))
    assert found.reason == "password=[redacted:value] Bcc: x"
    assert (found.title, found.tags["note"]) == ("a b", "[redacted:aws-key]")


@pytest.mark.parametrize("secret", ["AKIAIOSFODNN7EXAMPLE", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"])
def test_a_key_or_name_that_holds_a_secret_is_kept_as_a_hash_or_not_at_all(secret: str) -> None:
    told = {"dedup_key": f"user/alice@example.com/{secret}", "service": secret, "environment": secret}
    firing, ok, other = (
        signal(published("text", **(told | more)))
        for more in ({}, {"state": "ok"}, {"dedup_key": f"user/bob@example.com/{secret}"})
    )
    assert (firing.service, firing.environment) == (None, None)
    assert firing.dedup_key == ok.dedup_key != other.dedup_key
    assert secret not in repr(firing)
    assert "alice" not in repr(firing)


def test_a_message_without_a_text_is_none() -> None:
    with pytest.raises(Unreadable, match="no text"):
        signal(published(" \n"))


def test_one_group_fires_and_resolves_one_incident() -> None:
    desk = Desk()
    for seconds, state in ((0, "firing"), (30, "firing"), (60, "resolved")):
        at = desk.at(seconds)
        desk(json.dumps(published("text", at=at, dedup_key="prom/errors", state=state)))
    assert desk.types == ["IncidentTriggered", "SignalRecovered"]
    assert desk.incident.ok_since is not None
