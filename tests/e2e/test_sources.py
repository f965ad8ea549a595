"""Every sample in `events/` through the deployed app: an incident, its recovery, or a change record."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from incidentio.aws.table import DynamoTable
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.members import pointer_key
from incidentio.core.routing import Routing
from incidentio.core.signal import Mode, Signal, SignalState
from incidentio.ingest.message import read
from incidentio.ingest.observation import Changed, Observation
from infra.options import ROOT
from tests.e2e.world import World, eventually

ELSEWHERE = ("states_", "alertmanager_", "cloudevents_", "grafana_", "pagerduty_")
"""Samples that do not come through the ingest queue."""
SAMPLES = {
    path.stem: path.read_text()
    for path in (ROOT / "events").glob("*.json")
    if not path.stem.startswith(ELSEWHERE) and not path.stem.endswith("_ignored")
}
NAMED = (
    "checkout", "nightly-report", "orders", "carts", "tables-throttled", "16afba5c", "2aafba5c", "3bafba5c", "5a2f0001",
    "7f35c8ae", "12345678-abcd", "vol-01234567", "snap-01234567", "fleet-598fb973", "sfr-77f4a0e1", "7K3F9A",
    "Nightly import failed", "d-123456789", "ecs-svc/123", "cdk-4f0e0001", "9d7e0001", "01234567-0123",
    "bgd-0f0a0001", "snap-0123456a", "ami-0abcdef1", "c613620e",
)  # fmt: skip
"""What the samples call things: a test's copies have its tag behind these."""
PATIENCE = 90.0
"""A hundred messages at once take longer than one."""
_TIME = re.compile(r"2026-03-0[34]T\d\d:\d\d:\d\d(?:\.\d{3})?(?:Z|\+0000)|177261\d{7}")
_MAIL_TIME = re.compile(r"04 Mar 2026 \d\d:\d\d:\d\d")


def staged(world: World, name: str, at: datetime) -> str:
    """The sample under names of this test's own, happening at `at`."""
    text = SAMPLES[name]
    for each in NAMED:
        text = text.replace(each, f"{each}-{world.tag}")
    text = _MAIL_TIME.sub(at.strftime("%d %b %Y %H:%M:%S"), text)
    text = _TIME.sub(lambda found: _written_as(found[0], at), text)
    document = json.loads(text)
    return json.dumps({**document, "id": str(uuid.uuid4())} if "id" in document else document)


def _written_as(time: str, at: datetime) -> str:
    return f"{at.timestamp() * 1000:.0f}" if time.isdigit() else at.isoformat(timespec="milliseconds")


def said(body: str) -> tuple[Observation | None, str | None]:
    """The signal of a message, and the id of its change, as the contracts (which have tests of their own) read it."""
    found = read(body, attachment=Attachment("incidentio", Catalog()), now=datetime.now(UTC))
    signal = found.signal if isinstance(found, Changed) else found
    assert signal is None or isinstance(signal, Observation)
    return signal, found.record.id if isinstance(found, Changed) else None


def stored(world: World) -> DynamoTable:
    return DynamoTable(world.client("dynamodb"), world.outputs["TableName"], Routing())


def pointer(table: DynamoTable, dedup_key: str) -> Mapping[str, Any]:
    return table.get(pointer_key(dedup_key)) or {}


def test_every_sample_becomes_what_it_says(world: World) -> None:
    table, begun = stored(world), datetime.now(UTC) - timedelta(minutes=1)
    bodies = {name: staged(world, name, begun) for name in SAMPLES}
    recovering = {n for n, body in bodies.items() if (s := said(body)[0]) and s.state is not SignalState.FIRING}
    for name in bodies.keys() - recovering:
        world.send(bodies[name])
    # Several doors may tell of one thing: whichever came first has opened the incident.
    tellers: dict[str, list[Signal]] = {}
    for name in sorted(bodies.keys() - recovering):
        if signal := said(bodies[name])[0]:
            tellers.setdefault(signal.dedup_key, []).append(signal.build(begun))
    for key, told in tellers.items():
        incident_id = eventually(
            lambda k=key: pointer(table, k).get("incident_id"), f"an incident of {key}", seconds=PATIENCE
        )
        incident = table.incident(incident_id)
        opened = (incident.source, incident.title, incident.subject.resources)
        assert opened in {(t.source, t.title, t.subject.resources) for t in told}
        if any(t.mode is not Mode.MONITOR for t in told):  # of two doors the one that is only watched may be first
            eventually(
                lambda i=incident_id: table.incident(i).mode is not Mode.MONITOR,
                f"a live incident of {key}",
                seconds=PATIENCE,
            )

    for name in recovering:
        world.send(staged(world, name, begun + timedelta(seconds=30)))
    for name in sorted(recovering):
        signal, _ = said(bodies[name])
        assert signal is not None
        if signal.state is SignalState.OK:
            eventually(
                lambda key=signal.dedup_key: pointer(table, key)["state"] == "ok",
                f"the recovery of {name}",
                seconds=PATIENCE,
            )

    expected = {change for body in bodies.values() if (change := said(body)[1])}
    eventually(lambda: expected <= changes(world), "the change records", seconds=PATIENCE)
    # Two states of one deployment are one change.
    assert sum(world.tag in change for change in changes(world)) == len(expected)


def changes(world: World) -> set[str]:
    return {item["id"] for item in world.alice.get("/deploys?limit=200")["items"]}


def test_attributes_of_any_publisher_open_and_resolve_one_incident(world: World) -> None:
    key = f"prometheus/HighErrorRate/{world.tag}"

    def publish(state: str, text: str) -> None:
        given = {"dedup_key": key, "state": state, "severity": "warning", "service": "storefront", "team": "shop"}
        world.client("sns").publish(
            TopicArn=world.outputs["SignalTopicArn"],
            Subject=f"[{state}] HighErrorRate {world.tag}",
            Message=text,
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in given.items()},
        )

    publish("firing", "12 % of requests fail")
    incident = world.the_incident_of(f"HighErrorRate {world.tag}")
    assert (incident["service"], incident["severity"], incident["mode"]) == ("storefront", "SEV3", "live")
    publish("firing", "14 % of requests fail")
    # The emulator's topics count whole seconds, within which the order of arrival is all there is.
    eventually(lambda: world.heard(key)["count"] >= 2, "both counted")
    publish("resolved", "0 % of requests fail")
    world.until_status(incident["id"], "resolved")
    assert len(world.incidents_of(f"HighErrorRate {world.tag}")) == 1


def test_a_plain_text_is_one_signal_a_subject(world: World) -> None:
    for row in (1204, 1399):
        world.client("sns").publish(
            TopicArn=world.outputs["SignalTopicArn"], Subject=f"Import {world.tag} failed", Message=f"at row {row}"
        )
    incident = world.the_incident_of(f"Import {world.tag} failed")
    table = stored(world)
    eventually(lambda: pointer(table, incident["dedup_key"])["count"] >= 2, "both messages counted")
    assert len(world.incidents_of(f"Import {world.tag} failed")) == 1


def test_a_signal_put_on_the_signals_bus_opens_and_recovers_one_incident(world: World) -> None:
    def put(state: str, at: datetime) -> None:
        event = json.loads(staged(world, "signals_own_signal", at))
        detail = {**event["detail"], "state": state, "title": f"Canary {world.tag} fails"}
        entry = {"EventBusName": world.outputs["SignalsBusName"], "Source": event["source"], "Resources": []}
        entry |= {"DetailType": event["detail-type"], "Detail": json.dumps(detail)}
        answer = world.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer

    at = datetime.now(UTC)
    put("firing", at)
    incident = world.the_incident_of(f"Canary {world.tag} fails")
    assert (incident["source"], incident["service"], incident["severity"]) == (
        "signal",
        f"checkout-{world.tag}",
        "SEV2",
    )
    assert incident["dedup_key"] == f"canary/checkout-{world.tag}"
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "its page")
    put("ok", at + timedelta(seconds=1))
    world.until_status(incident["id"], "mitigated")
    assert len(world.incidents_of(f"Canary {world.tag} fails")) == 1


def test_an_alarm_may_invoke_us_without_a_topic(world: World) -> None:
    world.client("lambda").invoke(
        FunctionName=world.outputs["SignalFunctionArn"],
        InvocationType="Event",
        Payload=staged(world, "invocation_alarm", datetime.now(UTC)).encode(),
    )
    incident = world.the_incident_of(f"checkout-{world.tag}-errors")
    assert (incident["mode"], incident["source"]) == ("live", "cloudwatch")
    assert "ingest function" in incident["mode_reason"]
