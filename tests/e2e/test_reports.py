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
    world.set_alarm(alarm, "OK", "Threshold Crossed")
    # The emulator's alarms count whole seconds, within which the order of arrival is all there is.
    eventually(lambda: world.heard(world.alarm_arn(alarm)).get("state") == "ok", "the ok remembered")
    world.set_alarm(alarm, "ALARM", "Threshold Crossed")
    real = world.the_incident_of(alarm)
    eventually(lambda: world.told(real["id"], topic="PageTopicArn"), "the page")
    eventually(lambda: world.incident(real["id"])["service"], "triage, which a page does not wait for")
    world.alice.post(f"/incidents/{real['id']}/cancel", {"reason": "false_positive"})

    def counted() -> dict[str, Any] | None:
        rows = world.alice.get("/reports/noise?days=2")["items"]
        return next((row for row in rows if row["alarm"] == alarm), None)

    row = eventually(counted, "the alarm in the noise report")
    assert (row["fired"], row["incidents"], row["false"], row["actionable"]) == (1, 1, 1, 0)
    calls = [e for e in world.timeline(real["id"]) if e["type"] == "PagePublished" and e["data"]["call"]]
    assert (row["pages"], row["service"]) == (len(calls), "storefront")

    topic, catalog = world.outputs["SignalTopicArn"], str(Path(__file__).parent / "catalog")
    chosen = ("--attached", topic, "--catalog", catalog, "--ack-after", "5s")  # there a page repeats after 30 s
    replayed = incidentio(home, "backtest", "--days", "1", *chosen, "--json")
    assert replayed.returncode == 0, replayed.stderr
    found = json.loads(replayed.stdout)["backtest"]
    (simulated,) = [made for made in found["incidents"] if made["alarms"][0] == alarm]
    after = world.incident(real["id"])
    names = ("service", "severity", "environment", "mode")
    assert [simulated[name] for name in names] == [after[name] for name in names]
    assert (after["service"], after["severity"]) == ("storefront", "SEV1")
    assert (simulated["pages"], simulated["ended_at"]) == (1, None)
    assert "reading 1 days of alarm history" in replayed.stderr


def test_what_only_looks_needs_no_more_than_its_policy(home: Path, world: World, tmp_path: Path) -> None:
    world.set_alarm(world.alarm("storefront-seen"), "ALARM")
    described = json.loads((home / "local.json").read_text())
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    for command in (["backtest", "--days", "1"], ["adopt", "--catalog", str(catalog)]):
        allowed = incidentio(home, command[0], "--policy").stdout
        iam, user = world.client("iam"), f"{command[0]}-{world.tag}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="read-only", PolicyDocument=allowed)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        keys = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        (home / "local.json").write_text(json.dumps(described | keys))
        looked = incidentio(home, *command, "--json")
        assert looked.returncode == 0, looked.stderr
        assert f"storefront-seen-{world.tag}" in looked.stdout
        assert "could not read" not in looked.stderr
        iam.put_user_policy(UserName=user, PolicyName="read-only", PolicyDocument=_nothing())
        refused = incidentio(home, *command, "--json")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "reading the alarms: AccessDenied" in refused.stderr


def _nothing() -> str:
    statement = {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
