import json
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from incidentio.cli.deployment import STACK, Choice, discover, stack_outputs
from incidentio.cli.errors import NoDeploymentError
from incidentio.cli.shell import Shell
from infra.local.state import TargetState
from tests.offline import offline_client

DESCRIBED = {
    "endpoint_url": "http://127.0.0.1:45660",
    "region": "us-east-1",
    "account": "000000000000",
    "access_key_id": "test",
    "secret_access_key": "test",
    "outputs": {"ApiUrl": "http://127.0.0.1:45660/_aws/execute-api/abc/v1/", "TableName": "t"},
}


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / ".incidentio" / "local.json"
    path.parent.mkdir()
    path.write_text(json.dumps(DESCRIBED))
    return path


@pytest.fixture(autouse=True)
def _no_aws_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_local_target_is_found_from_a_folder_below(local: Path, tmp_path: Path) -> None:
    below = tmp_path / "docs" / "deep"
    below.mkdir(parents=True)
    found = discover(Choice(), directory=below, environment={})
    assert found.is_local
    assert found.api_url == "http://127.0.0.1:45660/_aws/execute-api/abc/v1"
    assert str(local) in found.found


def test_a_target_that_is_up_is_found_without_its_file(
    local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.unlink()
    state = TargetState(local.parent, 45660)
    state.prepare()
    state.description.write_text(json.dumps(DESCRIBED))
    monkeypatch.setattr(TargetState, "is_up", lambda state: state.port == 45660)
    found = discover(Choice(), directory=tmp_path, environment={"AWS_REGION": "eu-north-1"})
    assert found.found == f"the local target on port 45660 ({state.description})"


def test_the_environment_wins_over_a_local_target(local: Path, tmp_path: Path) -> None:
    environment = {"INCIDENTIO_API_URL": "https://abc.execute-api.eu-west-1.amazonaws.com/v1"}
    found = discover(Choice(), directory=tmp_path, environment=environment)
    assert (found.is_local, found.region) == (False, "eu-west-1")


def test_an_option_wins_over_everything(local: Path, tmp_path: Path) -> None:
    environment = {"INCIDENTIO_API_URL": "https://abc.execute-api.eu-west-1.amazonaws.com/v1"}
    found = discover(Choice(stack="other", region="eu-north-1"), directory=tmp_path, environment=environment)
    assert found.found == "the stack other in eu-north-1"


def test_without_anything_the_default_stack_is_looked_for(tmp_path: Path) -> None:
    found = discover(Choice(region="eu-north-1"), directory=tmp_path, environment={})
    assert found.found == f"the stack {STACK} in eu-north-1"


def test_the_region_is_read_where_every_aws_tool_reads_it(tmp_path: Path) -> None:
    found = discover(Choice(), directory=tmp_path, environment={"AWS_REGION": "eu-north-1"})
    assert found.region == "eu-north-1"


def test_a_missing_region_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoDeploymentError, match="no AWS Region"):
        discover(Choice(), directory=tmp_path, environment={})


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    found = discover(Choice(region="eu-north-1"), directory=tmp_path, environment={})
    with pytest.raises(NoDeploymentError, match="no AWS credentials"):
        found.client("sns")


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoDeploymentError, match="nobody"):
        discover(Choice(profile="nobody"), directory=tmp_path, environment={})


def test_a_broken_description_is_named(local: Path, tmp_path: Path) -> None:
    local.write_text("{}")
    with pytest.raises(NoDeploymentError, match=r"local\.json does not describe a local target"):
        discover(Choice(), directory=tmp_path, environment={})


def test_a_missing_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoDeploymentError, match=r"^there is no file /nope: `incidentio local up`"):
        discover(Choice(local=Path("/nope")), directory=tmp_path, environment={})


def test_a_missing_output_is_named(local: Path, tmp_path: Path) -> None:
    with pytest.raises(NoDeploymentError, match="no output PageTopicArn"):
        discover(Choice(), directory=tmp_path, environment={}).output("PageTopicArn")


def said(shell: Shell, capsys: pytest.CaptureFixture[str]) -> str:
    assert shell.deployment
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


@pytest.mark.parametrize("as_json", [True, False])
def test_a_local_target_is_named_on_stderr(
    local: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    shell = Shell(directory=tmp_path, as_json=as_json)
    assert said(shell, capsys) == f"(the local target on port 45660 ({local}))\n"


def test_a_deployment_of_the_environment_is_named_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://abc.execute-api.eu-west-1.amazonaws.com/v1"
    monkeypatch.setenv("INCIDENTIO_API_URL", url)
    assert said(Shell(directory=tmp_path), capsys) == f"(the API at {url} (INCIDENTIO_API_URL))\n"


def test_a_stack_is_named_on_stderr_with_account_and_region(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = {"ApiUrl": "https://a", "SignalTopicArn": "arn:aws:sns:eu-west-1:111122223333:Signals"}
    monkeypatch.setattr("incidentio.cli.deployment.stack_outputs", lambda *_given: outputs)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    shell = Shell(directory=tmp_path, region="eu-west-1")
    assert said(shell, capsys) == "(the stack incidentio in eu-west-1, account 111122223333)\n"


def test_a_stack_that_cannot_be_read_is_named_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoDeploymentError, match="no AWS credentials"):
        assert Shell(directory=tmp_path, region="eu-west-1").deployment
    assert capsys.readouterr().err == "(the stack incidentio in eu-west-1)\n"


def cloudformation() -> tuple[Any, Stubber]:
    client = offline_client("cloudformation")
    return client, Stubber(client)


def test_outputs_come_from_the_stack() -> None:
    client, answers = cloudformation()
    stack = {"StackName": STACK, "CreationTime": "2026-11-23T08:00:00Z", "StackStatus": "CREATE_COMPLETE"}
    answers.add_response(
        "describe_stacks", {"Stacks": [{**stack, "Outputs": [{"OutputKey": "TableName", "OutputValue": "t"}]}]}
    )
    with answers:
        assert stack_outputs(client, STACK, "eu-west-1") == {"TableName": "t"}


def test_no_stack_says_how_to_get_one() -> None:
    client, answers = cloudformation()
    answers.add_client_error("describe_stacks", "ValidationError", "Stack with id incidentio does not exist")
    with answers, pytest.raises(NoDeploymentError, match="make deploy"):
        stack_outputs(client, STACK, "eu-west-1")


def test_the_default_stack_is_the_one_that_is_deployed() -> None:
    from infra.options import Options

    assert Options.stack_name == STACK
