"""Heartbeats and dead letters on the deployed app."""

import json
from datetime import UTC, datetime
from pathlib import Path

from incidentio.aws.table import DynamoTable
from incidentio.core.heartbeat import ARRIVED, beat
from incidentio.core.ports import Filters
from incidentio.core.routing import Routing
from tests.e2e.own import incidentio
from tests.e2e.world import World, eventually


def test_a_heartbeat_goes_to_the_test_topic_and_leaves_no_incident_behind(world: World) -> None:
    table = DynamoTable(world.client("dynamodb"), world.outputs["TableName"], Routing())
    before = table.get(ARRIVED) or {}
    world.send(beat(datetime.now(UTC)))
    last = eventually(
        lambda: (found := table.get(ARRIVED)) and found["at"] > str(before.get("at", "")) and found, "a heartbeat"
    )
    incident = world.incident(last["incident_id"])
    assert (incident["kind"], incident["status"]) == ("heartbeat", "cancelled")
    told = eventually(lambda: world.told(incident["id"]), "the message on the test topic")
    assert {message["topic"].rpartition(":")[2] for message in told} == {
        world.outputs["TestTopicArn"].rpartition(":")[2]
    }
    assert incident["id"] not in [card["id"] for card in table.page(Filters(kind="heartbeat"), limit=100).items]
    assert 0 <= last["seconds"] < 60


def test_a_dead_letter_is_shown_sent_again_and_given_up(world: World, run_home: Path) -> None:
    home = run_home / "shared"
    poison = f"no signal {world.tag} password=hunter2"
    world.send(poison)

    def listed() -> str | None:
        found = incidentio(home, "dlq", "list", "--queue", "ingest", "--json")
        items = json.loads(found.stdout)["items"] if found.returncode == 0 else []
        ids = [item["id"] for item in items if world.tag in incidentio(home, "dlq", "show", item["id"]).stdout]
        return ids[0] if ids else None

    id = eventually(listed, "the dead letter in the list")
    shown = incidentio(home, "dlq", "show", id).stdout
    assert "not JSON" in shown
    assert "hunter2" not in shown
    again = incidentio(home, "dlq", "redrive", id)
    assert again.returncode == 0, again.stderr
    back = eventually(lambda: (i := listed()) != id and i, "it to come back as a new letter")
    gone = incidentio(home, "dlq", "discard", back, "--reason", f"a test {world.tag}")
    assert gone.returncode == 0, gone.stderr
    assert f"a test {world.tag}" in incidentio(home, "dlq", "list", "--discarded").stdout
