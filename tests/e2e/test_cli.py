"""The command line against the deployed app, as a person types it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.own import incidentio
from tests.e2e.world import World


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
