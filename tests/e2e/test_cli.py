"""The command line against the deployed app, as a person types it."""

import json
import shlex
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.own import incidentio
from tests.e2e.world import ANSWER_SECONDS, World, eventually


@pytest.fixture
def home(target: dict[str, Any], run_home: Path, tmp_path: Path) -> Path:
    """A folder from which the shared target is found."""
    (tmp_path / "local.json").write_text(json.dumps(target))
    return tmp_path


def test_without_the_api_the_same_work_is_done_on_the_table(home: Path, world: World) -> None:
    title = f"api is down {world.tag}"
    opened = incidentio(home, "--direct", "incidents", "create", "--title", title, "--kind", "drill", "--json")
    assert opened.returncode == 0, opened.stderr
    incident_id = json.loads(opened.stdout)["id"]
    noted = incidentio(home, "--direct", "incidents", "note", incident_id, "written", "directly")
    assert noted.returncode == 0, noted.stderr
    assert "written directly" in world.entry(incident_id, "NoteAdded")["text"]
    assert world.entry(incident_id, "IncidentTriaged")
    refused = incidentio(home, "--direct", "incidents", "close", incident_id)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "cannot become closed" in refused.stderr


def test_an_incident_is_followed_to_its_end_and_its_chain_holds(home: Path, world: World) -> None:
    opened = incidentio(home, "incidents", "create", "--title", f"by hand {world.tag}", "--severity", "4", "--json")
    incident_id = json.loads(opened.stdout)["id"]
    for step in ("ack", "mitigate", "resolve", "close"):
        moved = incidentio(home, "incidents", step, incident_id.lower())
        assert moved.returncode == 0, moved.stderr
    verified = incidentio(home, "incidents", "verify", incident_id)
    assert verified.returncode == 0, verified.stdout
    shown = incidentio(home, "incidents", "show", incident_id)
    assert "closed" in shown.stdout


def test_a_dry_run_says_what_it_would_do_and_does_nothing(home: Path, world: World) -> None:
    function = world.function()
    opened = incidentio(home, "incidents", "create", "--title", f"dry {world.tag}", "--kind", "drill", "--json")
    incident_id = json.loads(opened.stdout)["id"]
    planned = incidentio(
        home,
        "playbooks",
        "run",
        incident_id,
        "throttle-function",
        "--target",
        function,
        "--param",
        "limit=3",
        "--dry-run",
    )
    assert planned.returncode == 0, planned.stderr
    assert f"put-function-concurrency --function-name {function}" in planned.stdout
    assert f"delete-function-concurrency --function-name {function}" in planned.stdout
    assert world.concurrency(function) is None
    missing = incidentio(
        home, "playbooks", "run", incident_id, "throttle-function", "--target", f"no-{function}", "--dry-run"
    )
    assert missing.returncode == 1, missing.stdout
    assert f"there is no function no-{function}" in missing.stdout


def test_an_integration_made_here_opens_the_door_until_it_is_revoked(home: Path, world: World) -> None:
    name = f"cli-{world.tag}"

    def made(*way: str) -> dict[str, Any]:
        done = incidentio(home, *way, "integrations", "create", name, "--kind", "signals", "--signed", "--json")
        assert done.returncode == 0, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        assert shown["signing_secret"].startswith("whsec_")
        return shown

    def refusal(shown: dict[str, Any]) -> str:
        headers = {"authorization": f"Bearer {shown['key']}"}
        return str(requests.post(shown["url"], headers=headers, timeout=ANSWER_SECONDS).json()["error"]["code"])

    first = made()
    assert refusal(first) == "not_signed", "the key is known"
    assert incidentio(home, "integrations", "rotate", name, "--drop-old").returncode == 0
    assert refusal(first) == "unknown_key"
    assert incidentio(home, "integrations", "revoke", name).returncode == 0
    second = made("--direct")
    assert refusal(second) == "not_signed"
    told = incidentio(home, "integrations", "changes", name).stdout
    assert [told.count(what) for what in ("created", "rotated", "revoked")] == [2, 1, 1]


def one_line(answer: subprocess.CompletedProcess[str], *, says: str) -> None:
    """The command failed with nothing on standard output and one clear line on the other."""
    assert (answer.returncode != 0, answer.stdout) == (True, ""), answer
    lines = [line for line in answer.stderr.splitlines() if not line.startswith("(the ")]
    assert len(lines) == 1, answer.stderr
    assert says in lines[0]


@pytest.fixture
def bruno(world: World, run_home: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of a second person, as `incidentio local user` prints it."""
    printed = incidentio(tmp_path, "local", "user", f"bruno-{world.tag}", "--state", str(run_home / "shared"))
    assert printed.returncode == 0, printed.stderr
    lines = (line.removeprefix("export ").partition("=") for line in printed.stdout.splitlines())
    return {name: "".join(shlex.split(value)) for name, _, value in lines}


def test_a_playbook_is_asked_for_and_approved_by_somebody_else(home: Path, world: World, bruno: dict[str, str]) -> None:
    assert "throttle-function" in incidentio(home, "playbooks", "list").stdout
    function = world.function(concurrency=50)
    incident_id = world.alice.post("/incidents", {"title": f"busy {world.tag}"})["id"]
    run = ("playbooks", "run", incident_id, "throttle-function", "--target", function, "--param", "limit=3")
    asked = incidentio(home, *run)
    assert asked.returncode == 0, asked.stderr
    approval_id = world.approval(incident_id)["id"]
    assert approval_id in incidentio(home, "approvals", "list", incident_id).stdout
    assert approval_id in incidentio(home, "approvals", "list").stdout
    one_line(incidentio(home, "approvals", "approve", approval_id), says="asked for")
    assert world.concurrency(function) == 50

    approved = incidentio(home, "approvals", "approve", approval_id, "-m", "go", **bruno)
    assert approved.returncode == 0, approved.stderr
    eventually(lambda: world.concurrency(function) == 3, "the function throttled")
    one_line(incidentio(home, "approvals", "reject", approval_id, **bruno), says=approval_id)
    assert approval_id not in incidentio(home, "approvals", "list", incident_id).stdout


def test_a_rejected_playbook_changes_nothing(home: Path, world: World, bruno: dict[str, str]) -> None:
    function = world.function(concurrency=50)
    incident_id = world.alice.post("/incidents", {"title": f"busy {world.tag}"})["id"]
    world.request(world.alice, incident_id, "throttle-function", target=function)
    rejected = incidentio(home, "approvals", "reject", world.approval(incident_id)["id"], "-m", "no", **bruno)
    assert rejected.returncode == 0, rejected.stderr
    eventually(lambda: world.incident(incident_id)["runs"][0]["outcome"] == "refused", "the run refused")
    assert world.concurrency(function) == 50


def test_hands_off_one_incident_and_on_again(home: Path, world: World) -> None:
    function = world.function(concurrency=50)
    incident_id = world.alice.post("/incidents", {"title": f"busy {world.tag}"})["id"]

    def run(outcome: str) -> None:
        """Ask for a playbook that needs nobody's approval, and wait for how it goes."""
        before = len(world.incident(incident_id)["runs"])
        world.request(world.alice, incident_id, "test-long-watch", target=function)
        if outcome == "refused":
            eventually(lambda: world.incident(incident_id)["runs"][before]["outcome"] == outcome, "the run refused")
            assert world.concurrency(function) == 50
        else:
            eventually(lambda: world.concurrency(function) == 7, "the function throttled")

    stopped = incidentio(home, "hands-off", incident_id.lower(), "on", "--reason", "we do it by hand")
    assert stopped.returncode == 0, stopped.stderr
    assert "hands off" in incidentio(home, "incidents", "show", incident_id).stdout
    run("refused")
    assert incidentio(home, "hands-off", incident_id, "off", "--reason", "done").returncode == 0
    run("applied")


@pytest.mark.parametrize(
    ("update", "told"),
    [
        ("SET incident_version = :wrong", "was changed after it was written"),
        ("REMOVE actor", "entries and"),
    ],
)
def test_a_changed_entry_is_named_as_the_first_broken_link(home: Path, world: World, update: str, told: str) -> None:
    incident_id = world.alice.post("/incidents", {"title": f"audited {world.tag}"})["id"]
    for text in ("one", "two"):
        world.alice.post(f"/incidents/{incident_id}/notes", {"text": text})
    world.entry(incident_id, "PagePublished")
    seq = next(e["seq"] for e in world.timeline(incident_id) if e["type"] == "NoteAdded")
    assert incidentio(home, "incidents", "verify", incident_id).returncode == 0
    world.client("dynamodb").update_item(
        TableName=world.outputs["TableName"],
        Key={"pk": {"S": f"INC#{incident_id}"}, "sk": {"S": f"TL#{seq:08d}"}},
        UpdateExpression=update,
        **({"ExpressionAttributeValues": {":wrong": {"N": "77"}}} if ":wrong" in update else {}),
    )
    verified = incidentio(home, "incidents", "verify", incident_id)
    assert verified.returncode == 1
    assert f"broken at entry {seq}: " in verified.stdout
    assert told in verified.stdout
    direct = incidentio(home, "--direct", "incidents", "verify", incident_id, "--json")
    assert json.loads(direct.stdout)["broken"]["seq"] == seq


def test_wrong_input_is_one_line_and_loses_nothing(home: Path, world: World) -> None:
    incident_id = world.alice.post("/incidents", {"title": f"kept {world.tag}"})["id"]
    for arguments, says in (
        (("incidents", "show", "INC-000000"), "INC-000000"),
        (("incidents", "list", "--status", "opened"), "acknowledged"),
        (("incidents", "close", incident_id), "legal"),
        (("incidents", "ack", incident_id, "--if-version", "40"), "version"),
        (("incidents", "note", incident_id, "x" * 5000), "4"),
        (("playbooks", "run", incident_id, "reboot-the-world"), "incidentio playbooks list"),
        (("playbooks", "run", incident_id, "throttle-function", "--target", "f", "--param", "speed=1"), "limit"),
        (("playbooks", "run", incident_id, "throttle-function", "--target", "f", "--param", "limit=-1"), "limit"),
        (("approvals", "approve", "APR-NOSUCH"), "APR-NOSUCH"),
        (("hands-off", "chekout", "on", "--reason", "x"), "incidentio playbooks list"),
    ):
        one_line(incidentio(home, *arguments), says=says)
    by_people = [entry["type"] for entry in world.timeline(incident_id) if entry["actor"]["kind"] == "person"]
    assert by_people == ["IncidentTriggered"]
    assert world.incident(incident_id)["runs"] == []


def test_with_the_api_down_direct_goes_on(target: dict[str, Any], tmp_path: Path, world: World) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        unreachable = f"http://127.0.0.1:{nobody.getsockname()[1]}/prod/"
        described = {**target, "outputs": {**target["outputs"], "ApiUrl": unreachable}}
        (tmp_path / "local.json").write_text(json.dumps(described))
        incident_id = world.alice.post("/incidents", {"title": f"no api {world.tag}"})["id"]
        one_line(incidentio(tmp_path, "incidents", "ack", incident_id), says="cannot be reached")
        acknowledged = incidentio(tmp_path, "--direct", "incidents", "ack", incident_id)
        assert acknowledged.returncode == 0, acknowledged.stderr
        listed = incidentio(tmp_path, "--direct", "incidents", "list", "--limit", "500")
        assert incident_id in listed.stdout
    assert world.incident(incident_id)["status"] == "acknowledged"


def test_a_review_without_the_api_is_locked_as_the_deployment_says(
    target: dict[str, Any], tmp_path: Path, world: World
) -> None:
    strict = {**target["outputs"], "RetentionMode": "COMPLIANCE", "RetentionDays": "1"}
    (tmp_path / "local.json").write_text(json.dumps({**target, "outputs": strict}))
    incident_id = world.alice.post("/incidents", {"title": f"reviewed {world.tag}"})["id"]
    world.alice.post(f"/incidents/{incident_id}/resolve")
    text = tmp_path / "reviewed.md"
    text.write_text("# What happened\n")
    reviewed = incidentio(tmp_path, "--direct", "postmortem", "review", incident_id, "--file", str(text))
    assert reviewed.returncode == 0, reviewed.stderr
    stored = world.entry(incident_id, "PostmortemReviewed")["data"]
    locked = world.client("s3").get_object_retention(
        Bucket=target["outputs"]["ArchiveBucketName"], Key=stored["key"], VersionId=stored["version_id"]
    )
    assert locked["Retention"]["Mode"] == "COMPLIANCE"
