"""What stands between a person and a target, told in one clear line: no Node, a wrong catalogue, no credentials."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.environment import ROOT
from infra.local.state import TargetState, known_ports

INCIDENTIO = str(Path(sys.executable).parent / "incidentio")


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(ROOT / "build"), **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def few_tools(tmp_path: Path) -> Path:
    """A PATH on which make works and Node is not."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "env", "sed", "cksum", "cut", "cat"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    return folder


def test_a_wrong_catalogue_is_told_by_file_and_line_and_nothing_keeps_running(tmp_path: Path) -> None:
    catalog, home = tmp_path / "catalog", tmp_path / "state"
    catalog.mkdir()
    (catalog / "services.yaml").write_text("services:\n  checkout:\n    tier: 9\n    onwer: me\n")
    refused = run(INCIDENTIO, "local", "up", "--state", str(home), "--catalog", str(catalog))
    assert (refused.returncode, refused.stdout) == (1, "")
    told = refused.stderr.splitlines()
    assert f"{catalog}/services.yaml:3: services.checkout.tier: must be at most 5, not 9" in told
    assert any(
        line.startswith(f"{catalog}/services.yaml:4: services.checkout.onwer: unknown key: valid are ") for line in told
    )
    assert not any(TargetState(home, port).emulator.pid() for port in known_ports(home))


def test_synthesis_tells_a_wrong_playbook_by_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "playbooks" / "reboot"
    folder.mkdir(parents=True)
    (folder / "playbook.yaml").write_text(
        "name: reboot\nversion: 1.0.0\nowner: me\ndescription: Turns it off and on again.\nrisk: safe\n"
        'targets: {type: "AWS::Lambda::Function"}\nsteps:\n  - {action: reboot-world}\nverify: {alarm: OK}\n'
    )
    context = f'{{"playbooks": "{folder.parent}"}}'
    refused = run(sys.executable, "-m", "infra.app", CDK_CONTEXT_JSON=context)
    assert refused.returncode == 1
    (line,) = [line for line in refused.stderr.splitlines() if "playbook.yaml" in line]
    assert line.startswith(f"{folder}/playbook.yaml:8: ")
    assert "set-reserved-concurrency" in line


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        refused = run(INCIDENTIO, "local", "up", "--state", str(tmp_path / "state"), "--port", port)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"port {port} is in use by another program: choose another with --port" in refused.stderr


def test_without_node_a_target_names_what_is_missing(few_tools: Path, tmp_path: Path) -> None:
    refused = run(INCIDENTIO, "local", "up", "--state", str(tmp_path / "state"), PATH=str(few_tools))
    assert refused.returncode == 1
    assert refused.stderr == "incidentio local: Node.js is missing: the AWS CDK needs version 20 or newer\n"


@pytest.mark.parametrize("node", ["missing", "old"])
def test_without_a_usable_node_make_names_what_is_missing(few_tools: Path, node: str) -> None:
    if node == "old":
        for name in ("node", "npm"):
            (few_tools / name).write_text("#!/bin/sh\nexit 1\n")
            (few_tools / name).chmod(0o755)
    make = shutil.which("make")
    assert make
    refused = run(make, "node", PATH=str(few_tools))
    assert refused.returncode != 0
    assert "incidentio needs Node.js 20 or newer with npm" in refused.stderr
    for target in ("synth", "deploy", "demo", "test"):
        planned = run(make, "--dry-run", target)
        assert planned.returncode == 0, planned.stderr
        assert "incidentio needs Node.js" in planned.stdout, f"make {target} does not look for Node"


def test_without_credentials_a_deployment_names_the_remedy(tmp_path: Path) -> None:
    alone = {"HOME": str(tmp_path), "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
    refused = run(sys.executable, "-m", "infra.deploy", **alone)
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert line.startswith("No usable AWS credentials (set AWS_PROFILE, or run `aws sso login`)")
