"""Revoking a role's sessions: what is not ours to overwrite, and the command for the night without us."""

import json
import re
import shlex
from typing import Any

import pytest

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions import prepared
from incidentio.mitigate.actions.role_sessions import POLICY
from tests.unit.mitigate_actions.estate import PLACE


def revoke(role: str = "shop-web") -> Any:
    return prepared("revoke-sessions", {}, f"AWS::IAM::Role|{PLACE.account}|global|{role}", PLACE)


def role_with(policy: Any, *, path: str = "/") -> Any:
    def call(_service: str, operation: str, /, **_parameters: Any) -> dict[str, Any]:
        if operation == "get_role":
            return {"Role": {"Path": path}}
        if policy is None:
            raise NotFound("iam get_role_policy: NoSuchEntity")
        return {"PolicyDocument": policy}

    return call


def test_a_policy_of_that_name_which_does_something_else_is_not_overwritten() -> None:
    other = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    with pytest.raises(Conflict, match="is not one that revokes sessions"):
        revoke().read(role_with(other))


def test_what_it_writes_is_what_it_reads() -> None:
    written: dict[str, Any] = {}

    def call(_service: str, _operation: str, /, **parameters: Any) -> dict[str, Any]:
        written.update(parameters)
        return {}

    revoke().write(call, "2026-03-01T12:00:00Z")
    assert written["PolicyName"] == POLICY
    assert revoke().read(role_with(json.loads(written["PolicyDocument"]))) == "2026-03-01T12:00:00Z"
    assert revoke().read(role_with(None)) is None


def test_the_cut_is_now_to_the_second_in_utc() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", revoke().wanted(None))


def test_a_role_of_identity_center_is_told_where_its_sessions_end() -> None:
    with pytest.raises(Conflict, match="IAM Identity Center"):
        revoke().guard(role_with(None, path="/aws-reserved/sso.amazonaws.com/"), None)


def test_the_command_asks_the_shell_for_the_time() -> None:
    (do,) = revoke().commands(None).do
    *_, document = shlex.split(do)
    before = json.loads(document)["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
    assert before == "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
