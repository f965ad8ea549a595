"""What the past says: the noise report of the deployed app, and a backtest of the target's own alarm history."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.own import incidentio
from tests.e2e.world import World, eventually


@pytest.fixture
def home(target: dict[str, Any], run_home: Path, tmp_path: Path) -> Path:
    """A folder from which the shared target is found."""
    (tmp_path / "local.json").write_text(json.dumps(target))
    return tmp_path


def test_a_false_positive_counts_against_its_alarm_and_the_history_replays_to_the_same_incident(
    home: Path, world: World
) -> None:
    alarm = world.alarm("storefront-noise")
    for state in ("OK", "ALARM"):
        world.set_alarm(alarm, state, "Threshold Crossed")
    real = world.the_incident_of(alarm)
    eventually(lambda: world.told(real["id"], topic="PageTopicArn"), "the page")
    world.alice.post(f"/incidents/{real['id']}/cancel", {"reason": "false_positive"})

    def counted() -> dict[str, Any] | None:
        rows = world.alice.get("/reports/noise?days=2")["items"]
        return next((row for row in rows if row["alarm"] == alarm), None)

    row = eventually(counted, "the alarm in the noise report")
    assert (row["fired"], row["incidents"], row["false"], row["actionable"]) == (1, 1, 1, 0)
    assert (row["pages"], row["service"]) == (1, "storefront")

    topic, catalog = world.outputs["SignalTopicArn"], str(Path(__file__).parent / "catalog")
    replayed = incidentio(home, "backtest", "--days", "1", "--attached", topic, "--catalog", catalog, "--json")
    assert replayed.returncode == 0, replayed.stderr
    found = json.loads(replayed.stdout)["backtest"]
    (simulated,) = [made for made in found["incidents"] if made["alarms"][0] == alarm]
    after = world.incident(real["id"])
    names = ("service", "severity", "environment", "mode")
    assert [simulated[name] for name in names] == [after[name] for name in names]
    assert (after["service"], after["severity"]) == ("storefront", "SEV1")
    assert (simulated["pages"], simulated["ended_at"]) == (1, None)
    assert "reading 1 days of alarm history" in replayed.stderr
