"""A real Alertmanager opens, updates and resolves one incident through each of the doors it can speak to."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.options import ROOT
from tests.alertmanager import Alertmanager, binary
from tests.e2e.test_webhooks import integration
from tests.e2e.world import World, eventually

DOORS = ("webhook", "pagerduty", "sns")
PAGE = (ROOT / "docs" / "connect-a-source.md").read_text()


def receivers_of_the_page() -> dict[str, dict[str, Any]]:
    """Door → its receiver, as docs/connect-a-source.md shows it."""
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    shown = [receiver for block in blocks for receiver in block.get("receivers", ())]
    return {receiver["name"].removeprefix("incidentio-"): receiver for receiver in shown}


def configuration(world: World, folder: Path) -> dict[str, Any]:
    """Those receivers with the addresses and keys of this target; it tells again every second."""
    receivers = receivers_of_the_page()
    assert sorted(receivers) == sorted(DOORS)
    url = world.outputs["WebhookUrl"].rstrip("/")
    keys = {door: folder / f"{door}.key" for door in ("webhook", "pagerduty")}
    for door, kind in (("webhook", "alertmanager"), ("pagerduty", "pagerduty")):
        keys[door].write_text(integration(world, kind)["key"])
    ((hook,), (pager,), (topic,)) = (receivers[door][f"{door}_configs"] for door in DOORS)
    hook["url"], pager["url"] = (
        re.sub(r"^https://[^/]*/hooks(?=/)", url, receiver["url"]) for receiver in (hook, pager)
    )
    hook["http_config"]["authorization"]["credentials_file"] = str(keys["webhook"])
    pager["routing_key_file"] = str(keys["pagerduty"])
    topic["topic_arn"] = world.outputs["SignalTopicArn"]
    topic["api_url"] = world.description["endpoint_url"]
    topic["sigv4"] = {
        "region": world.description["region"],
        "access_key": world.description["access_key_id"],
        "secret_key": world.description["secret_access_key"],
    }
    return {
        "route": {
            "receiver": receivers["webhook"]["name"],
            "group_by": ["alertname"],
            "group_wait": "0s",
            "group_interval": "1s",
            "repeat_interval": "1s",
            "routes": [{"receiver": receivers[door]["name"], "matchers": [f'door="{door}"']} for door in DOORS],
        },
        "receivers": list(receivers.values()),
    }


@pytest.fixture
def alertmanager(world: World, tmp_path: Path) -> Iterator[Alertmanager]:
    if binary() is None:
        pytest.skip("there is no Alertmanager here: `make alertmanager` fetches it where apt is (Debian, Ubuntu)")
    running = Alertmanager(tmp_path / "alertmanager", json.dumps(configuration(world, tmp_path)))  # JSON is YAML
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
    assert opened["sns"]["dedup_key"] == f"prometheus/{alerts['sns']}"
    for incident in opened.values():
        eventually(lambda i=incident: world.told(i["id"]), f"the call of {incident['id']}")

    # What an update changes: how often and when the signal was last heard of, and nothing that people see.
    before = {door: (world.heard(i["dedup_key"]), world.incident(i["id"])) for door, i in opened.items()}
    for door, (heard, incident) in before.items():
        again = eventually(
            lambda key=incident["dedup_key"], count=heard["count"]: (now := world.heard(key))["count"] > count and now,
            f"the alert of {door} to be told again",
        )
        assert again["last_seen_at"] > heard["last_seen_at"]
        assert (again["state"], again["incident_id"]) == ("firing", incident["id"])
        now = world.incident(incident["id"])
        unchanged = ("title", "status", "members", "firing", "version", "impact_started_at")
        assert [now[name] for name in unchanged] == [incident[name] for name in unchanged]
        assert len(world.told(incident["id"])) == 1

    # One of a group that is critical makes the message of the whole group so.
    worse = {"labels": {**alert("sns")["labels"], "severity": "critical", "pod": "2"}, "startsAt": since.isoformat()}
    alertmanager.fire([worse])
    raised = opened["sns"]["id"]
    assert "is SEV1 now" in world.entry(raised, "SignalWorsened")["text"]
    eventually(lambda: world.incident(raised)["severity"] == "SEV1", "triage to raise it")
    called = eventually(lambda: world.told(raised, topic="PageTopicArn"), "the page of what was a ticket")
    assert called[0]["attributes"]["severity"] == "SEV1"

    over = datetime.now(UTC).isoformat()
    alertmanager.fire([{**worse, "endsAt": over}, *(alert(door, endsAt=over) for door in DOORS)])
    for incident in opened.values():
        world.entry(incident["id"], "SignalRecovered")
        ended = eventually(
            lambda i=incident: (now := world.incident(i["id"]))["status"] in ("resolved", "mitigated") and now,
            f"{incident['id']} to end by itself",
        )
        if ended["severity"] in (
            "SEV1",
            "SEV2",
        ):  # or triage came late: a person has the last word
            world.alice.post(f"/incidents/{incident['id']}/resolve")
        world.until_status(incident["id"], "resolved")
    assert [len(world.incidents_of(alert)) for alert in alerts.values()] == [1, 1, 1]
