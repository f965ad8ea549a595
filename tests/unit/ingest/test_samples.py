"""Each sample event becomes exactly the signal its documentation promises."""

import json
from datetime import UTC, datetime

import pytest

from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode, Signal, SignalState
from incidentio.ingest.message import read
from incidentio.ingest.observation import Ignored, Observation
from tests.unit.ingest.doors import SAMPLES, arn, sample

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
ATTACHMENT = Attachment(own_prefix="incidentio", catalog=Catalog())
OTHERWISE = ("states_", "alertmanager_", "cloudevents_", "pagerduty_")  # not for ingest, or through the HTTP door
INGESTED = sorted(p.stem for p in SAMPLES.glob("*.json") if not p.stem.startswith(OTHERWISE))


def observed(name: str) -> Observation:
    found = read(sample(name), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Observation)
    return found


def signal(name: str) -> Signal:
    return observed(name).build(NOW)


@pytest.mark.parametrize("name", INGESTED)
def test_every_sample_is_understood(name: str) -> None:
    found = read(sample(name), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Ignored) == name.endswith("_ignored")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("cloudwatch_metric_alarm", SignalState.FIRING),
        ("cloudwatch_metric_ok", SignalState.OK),
        ("cloudwatch_insufficient_data", SignalState.NOTE),
        ("sns_alarm", SignalState.FIRING),
        ("sns_alarm_ok", SignalState.OK),
        ("sns_insufficient_data", SignalState.NOTE),
    ],
)
def test_states(name: str, state: SignalState) -> None:
    assert observed(name).state is state


def test_both_doors_tell_the_same_story() -> None:
    bus, topic = signal("cloudwatch_metric_alarm"), signal("sns_alarm")
    assert bus.dedup_key == topic.dedup_key == arn("checkout-errors")
    assert bus.changed_at == topic.changed_at == datetime(2026, 3, 4, 9, 13, 41, 210_000, tzinfo=UTC)
    assert bus.impact_started_at == topic.impact_started_at == datetime(2026, 3, 4, 9, 11, tzinfo=UTC)
    assert bus.subject == topic.subject
    assert (bus.subject.account, bus.subject.region) == ("111122223333", "eu-west-1")
    assert (bus.subject.namespace, bus.subject.metric) == ("AWS/Lambda", "Errors")
    assert bus.subject.dimensions == {"FunctionName": "checkout"}
    assert (bus.title, bus.reason) == (topic.title, topic.reason)
    assert (bus.mode, topic.mode) == (Mode.MONITOR, Mode.LIVE)


def test_recovery_has_no_start_of_impact() -> None:
    assert signal("cloudwatch_metric_ok").impact_started_at is None


def test_metric_math_is_about_the_metrics_that_go_in() -> None:
    subject = signal("cloudwatch_metric_math_alarm").subject
    assert (subject.metric, subject.dimensions) == ("Errors", {"FunctionName": "checkout"})


@pytest.mark.parametrize("name", ["cloudwatch_composite_alarm", "sns_composite_alarm"])
def test_a_composite_began_with_the_alarm_that_triggered_it(name: str) -> None:
    found = signal(name)
    assert found.impact_started_at == datetime(2026, 3, 4, 9, 13, 41, 210_000, tzinfo=UTC)
    assert (found.subject.alarm_name, found.subject.metric) == ("checkout-down", "")


@pytest.mark.parametrize("name", ["cloudwatch_alarm_with_tags", "sns_alarm_with_tags"])
def test_tags_say_severity(name: str) -> None:
    found = signal(name)
    assert found.severity is Severity.SEV1
    assert found.tags["service"] == "checkout"
    assert found.mode is Mode.LIVE


def test_another_account_keeps_its_name() -> None:
    found = signal("signals_other_account_alarm")
    assert found.subject.account == "444455556666"
    assert found.dedup_key.startswith("arn:aws:cloudwatch:eu-west-1:444455556666:")


def test_our_own_contract() -> None:
    found = signal("signals_own_signal")
    assert (found.dedup_key, found.severity, found.service) == ("canary/checkout", Severity.SEV2, "checkout")
    assert found.impact_started_at == datetime(2026, 3, 4, 9, 10, tzinfo=UTC)
    assert found.mode is Mode.LIVE


def test_a_test_page_is_a_drill_whatever_it_says() -> None:
    body = json.loads(sample("sns_test_page"))
    message = json.loads(body["Message"])
    del message["kind"]
    found = read(json.dumps({**body, "Message": json.dumps(message)}), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Observation)
    assert found.build(NOW).kind is Kind.DRILL
    assert signal("sns_test_page").kind is Kind.DRILL


def test_alertmanager_tells_by_attributes() -> None:
    firing, resolved = signal("sns_alertmanager"), signal("sns_alertmanager_resolved")
    assert firing.dedup_key == resolved.dedup_key == "prometheus/HighErrorRate/checkout"
    assert (firing.state, resolved.state) == (SignalState.FIRING, SignalState.OK)
    assert (firing.severity, firing.service) == (Severity.SEV1, "checkout")
    assert firing.tags == {"alertname": "HighErrorRate"}


def test_a_text_is_told_by_its_subject() -> None:
    found = signal("sns_text")
    assert (found.title, found.state, found.mode) == ("Nightly import failed", SignalState.FIRING, Mode.LIVE)


def test_a_budget_is_read_from_its_text() -> None:
    found = signal("sns_budget")
    assert found.dedup_key == "budget/111122223333/checkout-monthly/ACTUAL/> $800.00"
    assert (found.title, found.severity) == ("Budget checkout-monthly: actual cost over $800.00", Severity.SEV3)
    assert found.reason == "ACTUAL Amount $812.34, budgeted $1,000.00"


def test_an_event_that_somebody_sends_through_the_topic_is_live() -> None:
    through_topic, unasked = signal("sns_forwarded_event"), signal("cloudwatch_metric_alarm")
    assert through_topic.dedup_key == unasked.dedup_key
    assert (through_topic.mode, unasked.mode) == (Mode.LIVE, Mode.MONITOR)
