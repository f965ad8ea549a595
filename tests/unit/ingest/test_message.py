"""What cannot be understood says why; what can be understood in spite of a flaw is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from incidentio.ingest.message import MAX_BODY, read
from incidentio.ingest.observation import Changed, Found, Observation, Unreadable, instant
from tests.unit.ingest.doors import SAMPLES, event, notification, sample, signal

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
ATTACHMENT = Attachment(own_prefix="incidentio", catalog=Catalog())


def parse(body: str, attachment: Attachment = ATTACHMENT) -> Found:
    return read(body, attachment=attachment, now=NOW)


def altered(name: str, *path: str | int, value: Any) -> str:
    document = json.loads(sample(name))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(document)


METRIC = "cloudwatch_metric_alarm"
ALL = sorted(path.stem for path in SAMPLES.glob("*.json"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "neither an EventBridge event, nor"),
        ("x" * (MAX_BODY + 1), "at most"),
        ('{"detail-type": "EC2 Instance State-change Notification"}', "no contract of ours has this source"),
        (altered(METRIC, "source", value="acme"), "another source"),
        (altered(METRIC, "detail", value="text"), "detail is missing"),
        (altered(METRIC, "detail", "alarmName", value=7), "alarmName"),
        (altered(METRIC, "detail", "alarmName", value="x" * 256), "longer than 255"),
        (altered(METRIC, "resources", value=[]), "ARN of an alarm"),
        (altered(METRIC, "resources", value=["arn:aws:sns:eu-west-1:111122223333:t"]), "ARN of an alarm"),
        (altered(METRIC, "detail", "state", value=...), "state is missing"),
        (altered(METRIC, "detail", "state", "value", value="BROKEN"), "unknown alarm state 'BROKEN'"),
        (altered(METRIC, "detail", "state", "value", value=["ALARM"]), "unknown alarm state"),
        (altered(METRIC, "detail", "state", "timestamp", value="yesterday"), "'yesterday' is not a time"),
        (altered(METRIC, "detail", "state", "timestamp", value="2026-02-30T00:00:00.000+0000"), "not a time"),
        (altered(METRIC, "detail", "state", "timestamp", value="2026-03-04T09:00:00"), "not a time with an offset"),
        (altered(METRIC, "detail", "state", "timestamp", value=None), "not a time"),
        (altered(METRIC, "detail", "state", "timestamp", value="9999-12-31T00:00:00.000+0000"), "in the future"),
        (altered(METRIC, "incidentio", value={"mode": "loud"}), "{mode, reason}"),
        (notification("  "), "the SNS message has no text"),
        (notification({"AlarmName": "x"}), "AWSAccountId"),
        (notification(signal("firing", NOW, dedup_key="a b")), "dedup_key"),
        (notification(signal("firing", NOW, severity="awful")), "severity"),
        (notification(signal("firing", NOW, colour="red")), "colour: Extra inputs"),
        (notification(signal("on", NOW)), "state"),
        (notification(signal("firing", NOW) | {"incidentio": "signal/v2"}), "incidentio"),
        (notification(signal("firing", NOW + timedelta(hours=1))), "in the future"),
    ],
)
def test_unreadable_says_why(body: str, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(body)
    assert reason in refused.value.message


WRONG: tuple[Any, ...] = (
    None, True, -1, 1.5, 10**30, 10**400, 1e400, "", "x", "\ud800", "0001-01-01T00:00:00+23:59", [], [None], ["x"],
    [[]], {}, {"x": []},
)  # fmt: skip


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Everywhere in a document where something else could stand: (container, key)."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], dict | list):
            yield from places(node[key])


@pytest.mark.parametrize("name", ALL)
def test_any_wrong_value_anywhere_is_unreadable_or_harmless(name: str) -> None:
    document = json.loads(sample(name))
    for node, key in list(places(document)):
        right = node[key]
        for wrong in WRONG:
            node[key] = wrong
            try:
                found = parse(json.dumps(document))
                observation = found.signal if isinstance(found, Changed) else found
                if isinstance(observation, Observation):
                    observation.build(NOW)
            except Unreadable:
                pass
            except Exception as error:
                raise AssertionError(f"{key}: {wrong!r} instead of {right!r}") from error
        node[key] = right


def test_an_action_without_an_alarm_arn_takes_the_region_of_its_topic() -> None:
    body = json.loads(sample("sns_alarm"))
    message = json.loads(body["Message"])
    expected = message.pop("AlarmArn")
    found = parse(json.dumps({**body, "Message": json.dumps(message)}))
    assert isinstance(found, Observation)
    assert found.dedup_key == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-10-02T17:04:40.985+0000", "2019-10-02T17:04:40.985Z"),
        ("2019-10-02T17:04:40.985Z", "2019-10-02T17:04:40.985Z"),
        ("2019-10-02T17:04:40Z", "2019-10-02T17:04:40.000Z"),
        ("2019-10-02T19:04:40.985+02:00", "2019-10-02T17:04:40.985Z"),
    ],
)
def test_times_become_sortable_utc(text: str, expected: str) -> None:
    assert instant(text) == expected


def test_secrets_in_an_alarm_do_not_come_in() -> None:
    found = parse(altered(METRIC, "detail", "state", "reason", value="password=hunter2\r\nAKIAIOSFODNN7EXAMPLE"))
    assert isinstance(found, Observation)
    assert found.build(NOW).reason == "password=[redacted:value] [redacted:aws-key]"


def test_a_key_or_name_of_our_own_form_that_holds_a_secret_is_kept_as_a_hash_or_not_at_all() -> None:
    secret = "AKIAIOSFODNN7EXAMPLE"

    def kept(state: str, key: str) -> Observation:
        found = parse(notification(signal(state, NOW, dedup_key=key, service=secret, environment=secret)))
        assert isinstance(found, Observation)
        return found

    firing, ok, other = kept("firing", f"user/{secret}"), kept("ok", f"user/{secret}"), kept("firing", f"team/{secret}")
    assert firing.dedup_key == firing.build(NOW).dedup_key == ok.dedup_key != other.dedup_key
    assert (firing.build(NOW).service, firing.build(NOW).environment) == (None, None)
    assert secret not in f"{firing} {firing.build(NOW)}"
    assert kept("ok", firing.dedup_key).dedup_key == firing.dedup_key


CATALOG = Catalog.model_validate({"services": {"checkout": {"match": {"alarm_names": ["checkout-*"]}}}})


@pytest.mark.parametrize(
    ("body", "catalog", "mode", "why"),
    [
        (event("ALARM", NOW), Catalog(), Mode.MONITOR, "not attached"),
        (event("ALARM", NOW, tags={"incidentio:page": "true"}), Catalog(), Mode.LIVE, "tagged incidentio:page"),
        (event("ALARM", NOW, tags={"incidentio:page": ""}), Catalog(), Mode.LIVE, "tagged incidentio:page"),
        (event("ALARM", NOW, tags={"incidentio:page": "false"}), Catalog(), Mode.MONITOR, "not attached"),
        (event("ALARM", NOW), CATALOG, Mode.LIVE, "service checkout: alarm name matches checkout-*"),
        (event("ALARM", NOW, alarm="orders"), CATALOG, Mode.MONITOR, "not attached"),
        (event("ALARM", NOW, mode="live"), Catalog(), Mode.LIVE, "said so"),
        (event("ALARM", NOW, mode="monitor"), CATALOG, Mode.MONITOR, "said so"),
    ],
)
def test_who_acts_and_who_is_watched(body: str, catalog: Catalog, mode: Mode, why: str) -> None:
    found = parse(body, Attachment(own_prefix="incidentio", catalog=catalog))
    assert isinstance(found, Observation)
    assert found.mode is mode
    assert why in found.build(NOW).mode_reason


@pytest.mark.parametrize(("tag", "severity"), [("critical", Severity.SEV1), ("3", Severity.SEV3), ("awful", None)])
def test_a_severity_tag_nobody_knows_is_no_reason_to_lose_an_alarm(tag: str, severity: Severity | None) -> None:
    found = parse(event("ALARM", NOW, tags={"severity": tag}))
    assert isinstance(found, Observation)
    assert found.build(NOW).severity is severity
