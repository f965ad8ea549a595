"""Rate-based rules: what is never made laxer, what goes back whole, and the shell that does the same."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.estate import PLACE


def enforce(limit: int = 500) -> Any:
    target = f"AWS::WAFv2::WebACL|{PLACE.account}|{PLACE.region}|REGIONAL/shop"
    return prepared("enforce-rate-rule", {"rule": "flood", "limit": limit}, target, PLACE)


def acl(**action: Any) -> dict[str, Any]:
    """A web ACL with a rule `flood` that counts from 2000 requests on, unless another action is given."""
    statement = {"RateBasedStatement": {"Limit": 2000, "AggregateKeyType": "IP", "EvaluationWindowSec": 60}}
    other = {"Name": "geo", "Priority": 0, "Action": {"Block": {}}, "Statement": {"GeoMatchStatement": {}}}
    return {
        "Name": "shop",
        "Id": "id-1",
        "ARN": "arn",
        "Capacity": 3,
        "LabelNamespace": "awswaf:",
        "ManagedByFirewallManager": False,
        "DefaultAction": {"Allow": {}},
        "TokenDomains": ["shop.example"],
        "Rules": [other, {"Name": "flood", "Priority": 1, "Action": action or {"Count": {}}, "Statement": statement}],
    }


class Waf:
    def __init__(self, web_acl: dict[str, Any]) -> None:
        self.acl, self.updates = web_acl, list[dict[str, Any]]()

    def __call__(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "list_web_acls":
                return {"WebACLs": [{"Name": "shop", "Id": "id-1"}]}
            case "get_web_acl":
                return {"WebACL": self.acl, "LockToken": "token"}
            case "list_tags_for_resource":
                return {"TagInfoForResource": {"TagList": []}}
        self.updates.append(parameters)
        return {}


def test_all_else_goes_back_as_it_was_with_the_token_it_was_read_with() -> None:
    waf = Waf(acl())
    enforce().write(waf, {"action": "Block", "limit": 500})
    (update,) = waf.updates
    assert set(update) == {"DefaultAction", "Id", "LockToken", "Name", "Rules", "Scope", "TokenDomains"}
    kept, changed = update["Rules"]
    assert kept == acl()["Rules"][0]
    assert changed["Action"] == {"Block": {}}
    assert changed["Statement"] == {
        "RateBasedStatement": {"Limit": 500, "AggregateKeyType": "IP", "EvaluationWindowSec": 60}
    }


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ({"Captcha": {}}, "neither counts nor blocks"),
        ({"Block": {}}, "is never made laxer"),
        ({"Count": {"CustomRequestHandling": {"InsertHeaders": []}}}, "headers or a response of its own"),
    ],
)
def test_what_could_not_be_given_back_or_would_be_laxer_is_refused(action: dict[str, Any], told: str) -> None:
    with pytest.raises(Conflict, match=told):
        compare_and_set.snapshot(enforce(2000), Waf(acl(**action)))


def test_a_response_of_its_own_stays_while_only_the_limit_is_lowered() -> None:
    own = {"Block": {"CustomResponse": {"ResponseCode": 429}}}
    waf = Waf(acl(**own))
    compare_and_set.apply(enforce(), waf, compare_and_set.snapshot(enforce(), waf)["snapshot"])
    assert waf.updates[0]["Rules"][1]["Action"] == own


@pytest.mark.skipif(shutil.which("jq") is None, reason="the commands need jq")
def test_a_shell_does_and_undoes_the_same(tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text(
        '#!/bin/sh\ncase "$*" in\n  *list-web-acls*) echo id-1 ;;\n  *get-web-acl*) printf %s "$FOUND" ;;\n'
        '  *) printf "%s\\n" "$*" >> log ;;\nesac\n'
    )
    aws.chmod(0o755)
    told = enforce().commands(None)
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "FOUND": json.dumps({"WebACL": acl(), "LockToken": "token"}),
    }
    subprocess.run(["sh", "-euc", "\n".join((*told.look, *told.do, *told.undo))], check=True, env=env, cwd=tmp_path)
    done, undone = (
        json.loads(line.partition("--cli-input-json ")[2]) for line in (tmp_path / "log").read_text().splitlines()
    )
    waf = Waf(acl())
    enforce().write(waf, {"action": "Block", "limit": 500})
    expected = {key: value for key, value in waf.updates[0].items() if key != "Scope"}
    assert done == expected
    assert undone == {**expected, "Rules": acl()["Rules"]}
