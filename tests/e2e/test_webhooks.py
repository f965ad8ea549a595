"""The HTTP door of the deployed app: integrations made by people, and what they then may send."""

import hmac
import json
import os
import re
import subprocess
import time
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import requests

from infra.options import ROOT
from tests.e2e.world import ANSWER_SECONDS, World, eventually


def integration(world: World, kind: str, **settings: Any) -> dict[str, Any]:
    """What making one answers: its key is in there."""
    made: dict[str, Any] = world.alice.post("/integrations", {"name": f"{kind}-{world.tag}", "kind": kind, **settings})
    return made


def send(world: World, path: str, body: Any, key: str = "", **headers: str) -> requests.Response:
    url = world.outputs["WebhookUrl"].rstrip("/") + path
    sent = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    if key:
        sent["authorization"] = f"Bearer {key}"
    raw = body if isinstance(body, str) else json.dumps(body)
    return requests.post(url, data=raw, headers=sent, timeout=ANSWER_SECONDS)


def sample(world: World, name: str, *named: str) -> dict[str, Any]:
    """A sample of `events/`, in which what is `named` so has this test's tag behind it."""
    text = (ROOT / "events" / f"{name}.json").read_text()
    for each in named:
        text = text.replace(each, f"{each}-{world.tag}")
    document: dict[str, Any] = json.loads(text)
    return document


def test_a_pagerduty_sender_opens_acknowledges_and_resolves(world: World) -> None:
    key = integration(world, "pagerduty")["key"]
    title = f"Disk of db-1-{world.tag} is full"

    def event(action: str) -> requests.Response:
        return send(world, "/v2/enqueue", sample(world, f"pagerduty_{action}", "Disk of db-1") | {"routing_key": key})

    answer = event("trigger")
    assert (answer.status_code, answer.json()) == (
        202, {"status": "success", "message": "Event processed", "dedup_key": "disk/db-1"},
    )  # fmt: skip
    incident = world.the_incident_of(title)
    assert (incident["severity"], incident["source"]) == ("SEV1", f"integration/pagerduty-{world.tag}")
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "a page")
    event("trigger")
    event("acknowledge")
    entry = world.entry(incident["id"], "IncidentAcknowledged")
    assert entry["actor"] == {"id": f"integration/pagerduty-{world.tag}", "kind": "source"}
    event("resolve")
    world.until_status(incident["id"], "mitigated")
    assert len(world.incidents_of(title)) == 1

    wrong = send(world, "/v2/enqueue", {"routing_key": "R" * 32, "event_action": "trigger"})
    assert (wrong.status_code, wrong.json()["status"]) == (400, "invalid event")


@pytest.mark.parametrize("sender", ["alertmanager", "grafana"])
def test_each_alert_of_a_notification_is_one_incident_until_it_is_resolved(world: World, sender: str) -> None:
    key = integration(world, "alertmanager")["key"]
    firing = sample(world, f"{sender}_firing", "Checkout", "HighErrorRate", "Queue")
    resolved = {**firing, "status": "resolved", "alerts": [{**a, "status": "resolved"} for a in firing["alerts"]]}
    if sender == "alertmanager":
        resolved = sample(world, "alertmanager_resolved", "Checkout", "HighErrorRate")
    for body in (firing, firing):
        answer = send(world, "/webhooks/alertmanager", body, key)
        assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "accepted": 2})
    labels = [alert["labels"] for alert in firing["alerts"]]
    titles = [a["annotations"].get("summary") or a["labels"]["alertname"] for a in firing["alerts"]]
    opened = [world.the_incident_of(title) for title in titles]
    severities = {"critical": "SEV1", "warning": "SEV3"}
    assert [(i["service"], i["severity"]) for i in opened] == [
        (a["service"], severities[a["severity"]]) for a in labels
    ]
    for incident in opened:
        eventually(lambda i=incident: world.told(i["id"], event="IncidentTriaged"), f"the page of {incident['id']}")
        eventually(lambda i=incident: world.heard(i["dedup_key"])["count"] >= 2, "both notifications counted")
    assert send(world, "/webhooks/alertmanager", resolved, key).status_code == 202
    for incident in opened:  # a severe one waits for a person
        world.until_status(incident["id"], "mitigated" if incident["severity"] == "SEV1" else "resolved")
    assert [len(world.incidents_of(title)) for title in titles] == [1, 1]


def test_structured_and_binary_cloudevents_are_of_one_incident(world: World) -> None:
    key = integration(world, "signals")["key"]
    event = sample(world, "cloudevents_structured", "Checkout canary")
    title = event["data"]["title"]

    def structured(outcome: str) -> requests.Response:
        body = {**event, "type": f"com.example.canary.{outcome}", "time": datetime.now(UTC).isoformat()}
        return send(world, "/signals", body, key, content_type="application/cloudevents+json; charset=utf-8")

    def binary(outcome: str) -> requests.Response:
        named = {name: event[name] for name in ("specversion", "id", "source", "subject")}
        attributes = {
            f"ce_{name}": value for name, value in (named | {"type": f"com.example.canary.{outcome}"}).items()
        }
        return send(world, "/signals", event["data"], key, **attributes)

    assert structured("failed").status_code == 202
    incident = world.the_incident_of(title)
    assert (incident["service"], incident["severity"]) == ("checkout", "SEV2")
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "its page")
    assert binary("recovered").status_code == 202
    world.until_status(incident["id"], "mitigated")
    assert binary("failed").status_code == 202
    world.entry(incident["id"], "ImpactReturned")
    assert structured("recovered").status_code == 202
    world.until_status(incident["id"], "mitigated")
    assert len(world.incidents_of(title)) == 1


def test_an_integrations_life(world: World) -> None:
    made = integration(world, "signals", signed=True, service="canary", severity="SEV4")
    name, keys, secrets = made["integration"]["name"], [made["key"]], [made["signing_secret"]]
    title = f"canary-{world.tag}"

    def signal(key: str, secret: str | None, state: str = "firing") -> requests.Response:
        body = json.dumps(
            {
                "incidentio": "signal/v1",
                "dedup_key": "canary/checkout",
                "state": state,
                "title": title,
                "reason": "Bezahlen schlägt fehl",
                "changed_at": datetime.now(UTC).isoformat(),
            },
            ensure_ascii=False,
        )
        return send(world, "/signals", body, key, **(signed(secret, body) if secret else {}))

    assert signal(keys[0], secrets[0]).status_code == 202
    incident = world.the_incident_of(title)
    assert (incident["service"], incident["severity"]) == ("canary", "SEV4")
    assert signal(keys[0], None).json()["error"]["code"] == "not_signed"

    rotated = world.bob.post(f"/integrations/{name}/rotate")
    keys.append(rotated["key"])
    secrets.append(rotated["signing_secret"])
    assert [signal(key, secret).status_code for key, secret in zip(keys, secrets, strict=True)] == [202, 202]
    assert signal(keys[1], secrets[1], "ok").status_code == 202
    world.entry(incident["id"], "SignalRecovered")

    (listed,) = [each for each in world.alice.get("/integrations")["items"] if each["name"] == name]
    assert listed["last_used_on"] == datetime.now(UTC).date().isoformat()
    assert world.bob.call("DELETE", f"/integrations/{name}").status_code == 200
    assert signal(keys[1], secrets[1]).json()["error"]["code"] == "unknown_key"
    changes = world.alice.get(f"/integrations/{name}/changes")["items"]
    assert [change["action"] for change in changes] == ["created", "rotated", "revoked"]
    assert len(world.incidents_of(title)) == 1


PAGE = (ROOT / "docs" / "connect-a-source.md").read_text()
KINDS = {"/webhooks/alertmanager": "alertmanager", "/v2/enqueue": "pagerduty", "/signals": "signals"}


def test_the_examples_of_the_page_are_taken(world: World) -> None:
    """Each block of curl calls in docs/connect-a-source.md, typed into a shell."""
    blocks = [block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "curl " in block]
    made = {kind: integration(world, kind, mode="monitor") for kind in set(KINDS.values())}
    made["sealed"] = integration(world, "signals", name=f"sealed-{world.tag}", mode="monitor", signed=True)
    assert {kind for path, kind in KINDS.items() for block in blocks if path in block} == set(KINDS.values())
    environment = {
        "PATH": os.environ["PATH"],
        "WEBHOOK_URL": world.outputs["WebhookUrl"].rstrip("/"),
        "SIGNED_KEY": made["sealed"]["key"],
        "SIGNING_SECRET": made["sealed"]["signing_secret"],
        "no_proxy": "*",
        **{f"{kind.upper()}_KEY": made[kind]["key"] for kind in KINDS.values()},
    }
    for block in blocks:
        script = "curl() { command curl -w '\\n%{http_code}\\n' \"$@\"; }\n" + block
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
        codes = re.findall(r"^\d{3}$", done.stdout, re.MULTILINE)
        assert codes == ["202"] * block.count("curl -"), (block, done.stdout, done.stderr)


def signed(secret: str, body: str) -> dict[str, str]:
    stamp = str(int(time.time()))
    content = f"msg_1.{stamp}.{body}".encode()
    digest = hmac.new(b64decode(secret.removeprefix("whsec_")), content, sha256).digest()
    return {
        "webhook_id": "msg_1",
        "webhook_timestamp": stamp,
        "webhook_signature": f"v1,{b64encode(digest).decode()}",
    }


def test_who_has_no_key_is_refused_and_who_is_watched_pages_nobody(world: World) -> None:
    for path in ("/v2/enqueue", "/webhooks/alertmanager", "/signals"):
        assert send(world, path, {"alerts": []}).status_code in (400, 401)
    watched = integration(world, "alertmanager", mode="monitor")
    labels = {"alertname": f"trial-{world.tag}", "severity": "critical"}
    answer = send(
        world, "/webhooks/alertmanager", {"version": "4", "alerts": [{"status": "firing", "labels": labels}]},
        watched["key"],
    )  # fmt: skip
    assert answer.json() == {"status": "accepted", "accepted": 1}
    incident = world.the_incident_of(f"trial-{world.tag}")
    assert incident["mode"] == "monitor"
    world.entry(incident["id"], "NotificationSkipped")
    assert world.told(incident["id"]) == []
