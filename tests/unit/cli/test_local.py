import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from incidentio.cli.local import local
from incidentio.cli.main import main
from infra.local import target
from infra.local.deployment import DEFAULT_CATALOG, Deployable
from infra.local.errors import LocalTargetError

UP = {"endpoint_url": "http://127.0.0.1:4001", "outputs": {"ApiUrl": "http://127.0.0.1:4001/_aws/execute-api/a/prod/"}}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(local, arguments)


def test_up_hands_over_its_options_and_says_where_the_description_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def up(**options: Any) -> dict[str, Any]:
        asked.update(options)
        options["say"]("left out: one thing")
        return UP

    monkeypatch.setattr(target, "up", up)
    state, extra = tmp_path / "state", tmp_path / "extra"
    extra.mkdir()
    result = run("up", "--port", "4001", "--playbooks", str(extra), "--state", str(state))
    assert result.exit_code == 0
    assert result.stdout == f"http://127.0.0.1:4001 is up, described in {state}/local.json\n"
    assert "left out: one thing" in result.stderr
    assert (asked["home"], asked["port"]) == (state, 4001)
    assert asked["deployable"] == Deployable(catalog=DEFAULT_CATALOG, playbooks=(extra,))


def test_a_failure_is_one_clear_line_and_a_non_zero_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    def up(**_options: Any) -> dict[str, Any]:
        raise LocalTargetError("port 4001 is in use by another program: choose another with --port")

    monkeypatch.setattr(target, "up", up)
    result = run("up")
    assert result.exit_code == 1
    assert result.stderr == "incidentio local: port 4001 is in use by another program: choose another with --port\n"


def test_a_catalogue_that_is_no_folder_is_named(tmp_path: Path) -> None:
    result = run("up", "--catalog", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "nowhere' does not exist" in " ".join(result.stderr.split())


def test_down_without_a_target_is_fine(tmp_path: Path) -> None:
    result = run("down", "--state", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "no target is running\n")


def test_down_says_what_still_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(target, "status", lambda **_options: [UP])
    monkeypatch.setattr(target, "down", lambda **_options: [4002])
    state = ("--state", str(tmp_path))
    remaining = f"still running on port 4001: incidentio local down --port 4001 --state {tmp_path}\n"
    assert run("down", *state).stdout == f"stopped the target on port 4002\n{remaining}"
    monkeypatch.setattr(target, "down", lambda **_options: [])
    assert run("down", "--port", "4002", *state).stdout == f"no target is running on port 4002\n{remaining}"
    assert run("down", *state).stdout == f"no target is running by default\n{remaining}"


def test_status_of_nothing_exits_non_zero(tmp_path: Path) -> None:
    result = run("status", "--state", str(tmp_path))
    assert result.exit_code == 1
    assert "incidentio local up" in result.stderr


def test_status_as_json_is_what_local_json_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "status", lambda **_options: [UP])
    assert json.loads(run("status", "--json").stdout) == [UP]
    assert run("status").stdout.startswith("http://127.0.0.1:4001")


@pytest.mark.parametrize(
    ("file", "arguments", "asked"),
    [
        ("state/local.json", (), ("state", None)),
        ("state/4001/local.json", (), ("state", 4001)),
        ("state/4001/local.json", ("--port", "4002"), ("state", 4002)),
        ("state/4001/local.json", ("--state", "other"), ("other", None)),
    ],
)
def test_the_target_that_local_names_is_meant(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    file: str,
    arguments: tuple[str, ...],
    asked: tuple[str, int | None],
) -> None:
    stopped: list[dict[str, Any]] = []
    monkeypatch.setattr(target, "status", lambda **_options: [])
    monkeypatch.setattr(target, "down", lambda **options: stopped.append(options) or [])
    monkeypatch.chdir(tmp_path)
    for command in (["--local", file, "local", "down", *arguments], ["local", "down", "--local", file, *arguments]):
        assert CliRunner().invoke(main, command).exit_code == 0
    assert stopped == [{"home": tmp_path / asked[0], "port": asked[1]}] * 2


def test_env_is_what_aws_and_the_pages_need(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = {"SignalTopicArn": "arn:topic", "IngestQueueUrl": "http://queue", "WebhookUrl": "http://hooks/"}
    keys = {"region": "us-east-1", "access_key_id": "test", "secret_access_key": "it's"}
    monkeypatch.setattr(target, "status", lambda **_options: [{**UP, **keys, "outputs": outputs}])
    printed = run("env", "--port", "4001").stdout.splitlines()
    assert printed == [
        "export AWS_ACCESS_KEY_ID=test",
        """export AWS_SECRET_ACCESS_KEY='it'"'"'s'""",
        "export AWS_REGION=us-east-1",
        "export AWS_DEFAULT_REGION=us-east-1",
        "export AWS_ENDPOINT_URL=http://127.0.0.1:4001",
        "export SIGNAL_TOPIC=arn:topic",
        "export INGEST_QUEUE=http://queue",
        "export WEBHOOK_URL=http://hooks",
    ]
    assert "no such target is up" in run("env", "--port", "4002").stderr
