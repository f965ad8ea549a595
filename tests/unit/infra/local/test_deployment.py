import json
from pathlib import Path

import pytest

from infra.local import deployment
from infra.local.deployment import Deployable, RefusedError, describe, failure, local_api_url
from infra.local.errors import LocalTargetError
from infra.local.state import TargetState


def test_the_api_is_reached_on_loopback() -> None:
    aws = "https://a1b2c3.execute-api.us-east-1.amazonaws.com/prod/"
    assert local_api_url(aws, 4001) == "http://127.0.0.1:4001/_aws/execute-api/a1b2c3/prod/"


def test_an_api_address_of_another_shape_is_refused() -> None:
    with pytest.raises(LocalTargetError, match=r"incidents\.example\.com"):
        local_api_url("https://incidents.example.com/", 4001)


def test_the_description_holds_every_output_of_every_stack(tmp_path: Path) -> None:
    state = TargetState(tmp_path, 4001)
    state.prepare()
    state.stack_outputs.write_text(json.dumps({"incidentio": {"TableName": "t"}, "other": {"SelfTopicArn": "s"}}))
    assert describe(state) == {
        "endpoint_url": "http://127.0.0.1:4001",
        "region": "us-east-1",
        "account": "000000000000",
        "access_key_id": "test",
        "secret_access_key": "test",
        "outputs": {"TableName": "t", "SelfTopicArn": "s"},
    }


def test_context_names_the_catalogue_and_further_playbooks(tmp_path: Path) -> None:
    state = TargetState(tmp_path, 4001)
    context = Deployable(catalog=Path("/c"), playbooks=(Path("/p"), Path("/q")), pace=0.05).context(state)
    assert {"local=true", "catalog=/c", "playbooks=/p,/q", "pace=0.05"} <= set(context)


@pytest.mark.parametrize(
    ("log", "kind", "cause"),
    [
        (
            "sample | 3 | CREATE_FAILED | AWS::SQS::Queue | no such thing\n    at x.js:1\n\n❌ failed to deploy\n",
            RefusedError,
            "sample | 3 | CREATE_FAILED | AWS::SQS::Queue | no such thing",
        ),
        ("services.yaml:3: error: tier is 1 to 5\n\n", LocalTargetError, "services.yaml:3: error: tier is 1 to 5"),
    ],
)
def test_a_failure_shows_the_lines_that_tell(
    tmp_path: Path, log: str, kind: type[LocalTargetError], cause: str
) -> None:
    path = tmp_path / "deploy.log"
    path.write_text(log)
    error = failure(path)
    assert type(error) is kind
    assert str(error) == f"the deployment failed (its log: {path}):\n{cause}"


def test_a_missing_node_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalTargetError, match=r"Node\.js"):
        deployment.check_tools()


def test_a_missing_cdk_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(deployment, "CDK", tmp_path / "cdk")
    with pytest.raises(LocalTargetError, match="make setup"):
        deployment.check_tools()
