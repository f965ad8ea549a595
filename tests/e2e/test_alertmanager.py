"""A real Alertmanager opens, updates and resolves one incident through each of the doors it can speak to."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from incidentio.core.signal import dedup_hash
from tests.alertmanager import Alertmanager, binary
from tests.e2e.test_webhooks import integration
from tests.e2e.world import World, eventually

DOORS = ("webhook", "pagerduty", "sns")
SUMMARY = "{{ .CommonAnnotations.summary }}"


def configuration(world: World) -> dict[str, Any]:
    """The receivers as docs/connect-a-source.md shows them, one for each door; it tells again every second."""
    url = world.outputs["WebhookUrl"].rstrip("/")
    hook, pager = (integration(world, kind)["key"] for kind in ("alertmanager", "pagerduty"))
    receivers: dict[str, dict[str, Any]] = {
        "webhook_configs": {
            "url": f"{url}/webhooks/alertmanager",
            "http_config": {"authorization": {"credentials": hook}},
        },
        "pagerduty_configs": {
            "url": f"{url}/v2/enqueue",
            "routing_key": pager,
            "description": SUMMARY,
            "severity": "{{ .CommonLabels.severity }}",
        },
        "sns_configs": {
            "topic_arn": world.outputs["SignalTopicArn"],
            "api_url": world.description["endpoint_url"],
            "sigv4": {
                "region": world.description["region"],
                "access_key": world.description["access_key_id"],
                "secret_key": world.description["secret_access_key"],
            },
            "subject": SUMMARY,
            "attributes": {
                "dedup_key": "{{ .GroupLabels.alertname }}",
                "state": "{{ .Status }}",
                "severity": "{{ .CommonLabels.severity }}",
                "service": "{{ .CommonLabels.service }}",
            },
        },
    }
    return {
        "route": {
            "receiver": "webhook",
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1s",
            "routes": [{"receiver": door, "matchers": [f'door="{door}"']} for door in DOORS],
        },
        "receivers": [
            {"name": kind.removesuffix("_configs"), kind: [{"send_resolved": True, **receiver}]}
            for kind, receiver in receivers.items()
        ],
    }


@pytest.fixture
def alertmanager(world: World, tmp_path: Path) -> Iterator[Alertmanager]:
    if binary() is None:
        pytest.skip("there is no Alertmanager here: `make alertmanager` fetches it where apt is (Debian, Ubuntu)")
    running = Alertmanager(tmp_path / "alertmanager", json.dumps(configuration(world)))  # JSON is YAML
    try:
        yield running.start()
    finally:
        running.stop()


def test_it_opens_updates_and_resolves_one_incident_through_each_door(world: World, alertmanager: Alertmanager) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    alerts = {door: f"{door}-{world.tag}" for door in DOORS}

    def alert(door: str, **more: str) -> dict[str, Any]:
        named = {"alertname": alerts[door], "door": door, "severity": "warning", "service": f"{door}-{world.tag}"}
        notes = {"summary": f"{alerts[door]} is slow"}
        return {"labels": named, "annotations": notes, "startsAt": since.isoformat(), **more}

    alertmanager.fire([alert(door) for door in DOORS])
    opened = {door: world.the_incident_of(alerts[door]) for door in DOORS}
    for door in ("webhook", "sns"):
        assert opened[door]["service"] == f"{door}-{world.tag}"
    assert opened["webhook"]["impact_started_at"][:19] == since.isoformat()[:19]
    for incident in opened.values():
        eventually(lambda i=incident: counted(world, i) >= 2, f"{incident['id']} to be told again")
    alertmanager.fire([alert(door, endsAt=datetime.now(UTC).isoformat()) for door in DOORS])
    for incident in opened.values():
        world.entry(incident["id"], "SignalRecovered")
        ended = eventually(
            lambda i=incident: (now := world.incident(i["id"]))["status"] in ("resolved", "mitigated") and now,
            f"{incident['id']} to end by itself",
        )
        if ended["severity"] == "SEV2":  # triage came too late on a busy machine: then a person has the last word
            world.alice.post(f"/incidents/{incident['id']}/resolve")
        world.until_status(incident["id"], "resolved")
    assert [len(world.incidents_of(alert)) for alert in alerts.values()] == [1, 1, 1]


def counted(world: World, incident: dict[str, Any]) -> int:
    """How often its signal came in, as the signal's own record counts."""
    key = {"pk": {"S": f"DEDUP#{dedup_hash(incident['dedup_key'])}"}, "sk": {"S": "POINTER"}}
    item = world.client("dynamodb").get_item(TableName=world.outputs["TableName"], Key=key, ConsistentRead=True)
    return int(item["Item"]["count"]["N"])
