"""Restoring rules: every kind of peer, pages of rules, a record that is none, and the shell that does the same."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import prepared
from tests.unit.mitigate_actions.estate import PLACE

RECORD = """
False\ttcp\t443\t443\t0.0.0.0/0
False tcp 22 22 pl-0abc
False\ttcp\t5432\t5432\tsg-0abcdef1
False\t-1\t-1\t-1\t2001:db8::/32
True\ttcp\t443\t443\t10.0.0.0/8
"""
PERMISSIONS = [
    {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "PrefixListIds": [{"PrefixListId": "pl-0abc"}]},
    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "sg-0abcdef1"}]},
]


def restore(direction: str = "in") -> Any:
    target = f"AWS::EC2::SecurityGroup|{PLACE.account}|{PLACE.region}|sg-0abcdef1"
    return prepared("restore-rules", {"direction": direction}, target, PLACE)


class Group:
    """`pages` of rules as AWS tells them; the record is `text`."""

    def __init__(self, *pages: list[dict[str, Any]], text: str = RECORD) -> None:
        self.pages, self.text = pages or ([],), text
        self.changed: list[tuple[str, Any]] = []

    def __call__(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if operation == "get_parameter":
            return {"Parameter": {"Value": self.text}}
        if operation == "describe_security_group_rules":
            n = int(parameters.get("NextToken", 0))
            last = n + 1 == len(self.pages)
            return {"SecurityGroupRules": self.pages[n], **({} if last else {"NextToken": str(n + 1)})}
        self.changed.append((operation, parameters["IpPermissions"]))
        return {}


def test_every_kind_of_rule_goes_in_with_one_call() -> None:
    group = Group()
    restore().write(group, dict.fromkeys(restore().read(group), True))
    assert group.changed == [("authorize_security_group_ingress", PERMISSIONS)]


def test_rules_are_found_on_every_page_whatever_their_peer() -> None:
    web = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "0.0.0.0/0"}
    peer = {"IsEgress": False, "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    other = {"IsEgress": False, "IpProtocol": "-1", "CidrIpv6": "2001:db8::/32"}
    group = Group([web], [{**peer, "ReferencedGroupInfo": {"GroupId": "sg-0abcdef1"}}, other])
    assert restore().read(group) == {
        "-1 -1 -1 2001:db8::/32": True,
        "tcp 22 22 pl-0abc": False,
        "tcp 443 443 0.0.0.0/0": True,
        "tcp 5432 5432 sg-0abcdef1": True,
    }
    assert restore("out").read(group) == {"tcp 443 443 10.0.0.0/8": False}


@pytest.mark.parametrize(
    "line", ["tcp 443 443 0.0.0.0/0", "False tcp any any 0.0.0.0/0", "False tcp 443 443 everybody"]
)
def test_a_line_that_is_no_rule_is_told(line: str) -> None:
    with pytest.raises(Conflict, match="has a line that is no rule"):
        restore().read(Group(text=line))


@pytest.mark.skipif(shutil.which("jq") is None, reason="the commands need jq")
def test_a_shell_finds_what_is_missing_and_adds_it_at_once(tmp_path: Path) -> None:
    aws = tmp_path / "aws"
    aws.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        "  *describe-security-group-rules*) printf 'False\\ttcp\\t443\\t443\\t0.0.0.0/0\\n' ;;\n"
        '  *get-parameter*) printf %s "$RECORD" ;;\n'
        '  *) printf "%s\\n" "$*" >> log ;;\nesac\n'
    )
    aws.chmod(0o755)
    told = restore().commands(None)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "RECORD": RECORD}
    lines = "\n".join((*told.look, *told.do, *told.undo))
    subprocess.run(["sh", "-euc", lines], check=True, env=env, cwd=tmp_path)
    done = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[1] for line in done] == ["authorize-security-group-ingress", "revoke-security-group-ingress"]
    for line in done:
        rules = json.loads(line.partition("--ip-permissions ")[2])
        assert sorted(rules, key=json.dumps) == sorted(
            (rule for rule in PERMISSIONS if rule.get("FromPort") != 443), key=json.dumps
        )
