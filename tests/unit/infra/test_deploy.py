import json
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

import infra.deploy
from infra.deploy import (
    BOOTSTRAP_VERSION_PARAMETER,
    DeployError,
    can_log_requests,
    deploy,
    is_bootstrapped,
    main,
    sets_logging_role,
    target_environment,
)
from tests.offline import offline_client


class StubbedSession:
    """A session that hands out one prepared client."""

    def __init__(self, client: Any, region_name: str | None = "eu-west-1") -> None:
        self.region_name = region_name
        self._client = client

    def client(self, _service: str) -> Any:
        return self._client


def stubbed(service: str) -> tuple[Any, Stubber]:
    client = offline_client(service)
    return client, Stubber(client)


def test_the_target_is_the_callers_account_and_region() -> None:
    sts, answers = stubbed("sts")
    answers.add_response("get_caller_identity", {"Account": "111122223333"})
    with answers:
        assert target_environment(StubbedSession(sts)) == ("111122223333", "eu-west-1")


def test_refused_credentials_name_the_remedy() -> None:
    sts, answers = stubbed("sts")
    answers.add_client_error("get_caller_identity", "ExpiredToken", "expired")
    with answers, pytest.raises(DeployError, match="AWS_PROFILE"):
        target_environment(StubbedSession(sts))


def test_a_missing_region_names_the_remedy() -> None:
    sts, _ = stubbed("sts")
    with pytest.raises(DeployError, match="AWS_REGION"):
        target_environment(StubbedSession(sts, region_name=None))


@pytest.mark.parametrize("bootstrapped", [True, False])
def test_bootstrap_is_read_from_its_version_parameter(bootstrapped: bool) -> None:
    ssm, answers = stubbed("ssm")
    if bootstrapped:
        answers.add_response("get_parameter", {"Parameter": {}}, {"Name": BOOTSTRAP_VERSION_PARAMETER})
    else:
        answers.add_client_error("get_parameter", "ParameterNotFound", "no")
    with answers:
        assert is_bootstrapped(StubbedSession(ssm)) is bootstrapped


@pytest.mark.parametrize("role", [None, "arn:aws:iam::111122223333:role/logs"])
def test_access_logs_need_the_accounts_logging_role(role: str | None) -> None:
    gateway, answers = stubbed("apigateway")
    answers.add_response("get_account", {"cloudwatchRoleArn": role} if role else {})
    with answers:
        assert can_log_requests(StubbedSession(gateway)) is bool(role)


@pytest.mark.parametrize(
    ("context", "arguments", "sets"),
    [
        ({}, [], False),
        ({}, ["-c", "account_cloudwatch_role=true"], True),
        ({}, ["--context=account_cloudwatch_role=true"], True),
        ({"account_cloudwatch_role": True}, [], True),
        ({"account_cloudwatch_role": "true"}, ["-c", "stack_name=second"], True),
        ({"account_cloudwatch_role": True}, ["-c", "account_cloudwatch_role=false"], False),
    ],
)
def test_the_role_is_chosen_on_the_command_line_or_in_cdk_json(
    tmp_path: Path, context: dict[str, Any], arguments: list[str], sets: bool
) -> None:
    written = tmp_path / "cdk.json"
    written.write_text(json.dumps({"context": context}))
    assert sets_logging_role(arguments, written=written) is sets


def test_without_that_role_the_remedy_is_named_before_anything_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infra.deploy, "target_environment", lambda _session: ("111122223333", "eu-west-1"))
    monkeypatch.setattr(infra.deploy, "can_log_requests", lambda _session: False)
    monkeypatch.setattr(infra.deploy.subprocess, "run", lambda *_arguments, **_more: pytest.fail("deployed"))
    with pytest.raises(DeployError, match="account_cloudwatch_role=true"):
        deploy(page_email=None, cdk_arguments=[])


def test_an_unknown_profile_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setattr("sys.argv", ["deploy"])
    assert main() == 1
    assert capsys.readouterr().err == (
        "The config profile (nobody) could not be found: check AWS_PROFILE and your AWS configuration.\n"
    )
