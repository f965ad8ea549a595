"""`incidentio playbooks commands`: without a deployment, without AWS."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from incidentio.cli.main import main


@pytest.fixture(autouse=True)
def _no_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "INCIDENTIO_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)


def told(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["--region", "eu-west-1", "playbooks", "commands", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_prints_look_do_and_undo() -> None:
    lines = told("throttle-function", "--target", "checkout", "--param", "limit=3").splitlines()
    titles = [line for line in lines if line.startswith(("# look", "# do", "# undo"))]
    assert titles == ["# look", "# do", "# undo: with --only undo it can be pasted"]
    assert all(line.startswith("# ") for line in lines[lines.index(titles[-1]) :])
    assert (
        "aws lambda put-function-concurrency --function-name checkout --region eu-west-1 "
        "--reserved-concurrent-executions 3"
    ) in lines


def test_steps_are_undone_in_reverse_and_empty_ones_left_out() -> None:
    out = told("stop-runaway-workload", "--target", "checkout", "--param", "rule=loop")
    assert "scheduler" not in out
    assert out.index("enable-rule") > out.index("delete-function-concurrency") > out.index("disable-rule")


def test_one_part_alone_can_be_pasted() -> None:
    lines = told("throttle-function", "--target", "checkout", "--only", "undo").splitlines()
    assert lines[0] == "# undo"
    assert lines[1].startswith("if [ -n")
    assert "put-function" not in told("throttle-function", "--target", "checkout", "--only", "look")


def test_without_a_region_its_place_is_held() -> None:
    result = CliRunner().invoke(main, ["playbooks", "commands", "throttle-function", "--target", "checkout"])
    assert result.exit_code == 0, result.output
    assert "put-function-concurrency --function-name checkout --region REGION --reserved" in result.stdout
    assert result.stderr == "(no AWS Region is known: replace REGION)\n"


def test_scripts_get_json() -> None:
    result = CliRunner().invoke(
        main, ["--json", "--region", "eu-west-1", "playbooks", "commands", "scale-out-service", "--target", "shop/web"]
    )
    assert set(json.loads(result.stdout)) == {"look", "do", "undo"}


def test_region_and_endpoint_come_from_a_local_target(tmp_path: Path) -> None:
    described = {
        "endpoint_url": "http://127.0.0.1:1",
        "region": "us-east-1",
        "access_key_id": "test",
        "secret_access_key": "test",
        "outputs": {},
    }
    (tmp_path / ".incidentio").mkdir()
    (tmp_path / ".incidentio" / "local.json").write_text(json.dumps(described))
    result = CliRunner().invoke(main, ["playbooks", "commands", "throttle-function", "--target", "checkout"])
    commands = [line for line in result.stdout.splitlines() if "lambda put" in line]
    assert commands
    assert all("aws --endpoint-url http://127.0.0.1:1 --region us-east-1 lambda put" in line for line in commands)
    assert all(line.count("--region") == line.count("aws ") for line in commands)
    assert result.stderr.startswith("(the local target on port 1 (")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--region", "eu-west-1", "playbooks", "commands", "throtle-function", "--target", "x"],
            "there is no playbook 'throtle-function' here (did you mean throttle-function",
        ),
        (
            ["--region", "eu-west-1", "playbooks", "commands", "throttle-function", "--target", "a b"],
            "is not the name of an AWS::Lambda::Function",
        ),
        (
            ["--region", "x", "playbooks", "commands", "throttle-function", "--target", "x", "--param", "limit=0"],
            "at least 1",
        ),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
