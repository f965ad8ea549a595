"""The commands of network and security playbooks for the night without us: a real shell, an `aws` that writes down."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from incidentio.core.targets import target_id
from incidentio.mitigate.actions import prepared
from tests.unit.mitigate_actions.estate import PLACE

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="the commands need jq")

READING = ("list-", "get-", "describe-")


@pytest.fixture
def shell(tmp_path: Path) -> Any:
    """Runs look, do and undo; `answers` are what reading commands print. Returns the others, in order."""

    def run(action: Any, **answers: str) -> list[str]:
        aws = tmp_path / "aws"
        cases = "".join(f'  *" {name.replace("_", "-")} "*) cat "{name}" ;;\n' for name in answers)
        aws.write_text(f'#!/bin/sh\ncase " $* " in\n{cases}  *) printf "%s\\n" "$*" >> log ;;\nesac\n')
        aws.chmod(0o755)
        for name, answer in answers.items():
            (tmp_path / name).write_text(answer)
        told = action.commands(None)
        lines = "\n".join((*told.look, *told.do, *told.undo))
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        subprocess.run(["sh", "-euc", lines], check=True, env=env, cwd=tmp_path)
        return (tmp_path / "log").read_text().splitlines()

    return run


def acting(name: str, type: str, target: str, **given: Any) -> Any:
    return prepared(name, given, target_id(type, account=PLACE.account, region=PLACE.region, name=target), PLACE)


def test_each_interface_gets_the_quarantine_group_and_then_its_own_again(shell: Any) -> None:
    group = "sg-0aaaaaaaa"
    doing = acting("quarantine-instance", "AWS::EC2::Instance", "i-0abcdef12", group=group)
    interfaces = "eni-1\tsg-1 sg-2\neni-2\tsg-3\n"
    modify = f"ec2 modify-network-interface-attribute --region {PLACE.region} --network-interface-id"
    assert shell(doing, describe_network_interfaces=interfaces) == [
        f"{modify} eni-1 --groups {group}",
        f"{modify} eni-2 --groups {group}",
        f"{modify} eni-1 --groups sg-1 sg-2",
        f"{modify} eni-2 --groups sg-3",
    ]


@pytest.mark.parametrize(("protected", "undone"), [("False", 1), ("True", 0)])
def test_protection_is_switched_off_only_if_it_was_off(shell: Any, protected: str, undone: int) -> None:
    doing = acting("protect-from-termination", "AWS::EC2::Instance", "i-0abcdef12")
    done = shell(doing, describe_instance_attribute=protected)
    assert len(done) == 1 + undone
    assert all("disable-api-termination" in line for line in done)


@pytest.mark.parametrize(("before", "undo"), [("None", "delete-tags"), ("maybe not", "create-tags")])
def test_a_tag_is_given_back_as_it_was(shell: Any, before: str, undo: str) -> None:
    doing = acting("tag-instance", "AWS::EC2::Instance", "i-0abcdef12", tag="incidentio:isolated", value="yes")
    done, undone = shell(doing, describe_tags=before)
    assert done.endswith("--tags Key=incidentio:isolated,Value=yes")
    assert undone.startswith(f"ec2 {undo} ")
    assert undone.endswith("Key=incidentio:isolated" if before == "None" else f"Value={before}")


def test_a_key_gets_the_status_back_that_it_had(shell: Any) -> None:
    doing = acting("disable-access-key", "AWS::IAM::AccessKey", "deployer/MPLE")
    done = shell(doing, list_access_keys="Active")
    assert [line.rpartition("--status ")[2] for line in done] == ["Inactive", "Active"]


def test_weights_are_computed_and_given_back_by_the_shell_as_by_the_action(shell: Any) -> None:
    doing = acting(
        "shift-weight", "AWS::Route53::RecordSet", "Z1ABC/*.shop.example/A", source="eu", to="us", percent=25
    )
    records = [
        {"Name": "\\052.shop.example.", "Type": "A", "SetIdentifier": "us", "Weight": 250, "TTL": 60},
        {"Name": "\\052.shop.example.", "Type": "A", "SetIdentifier": "eu", "Weight": 101, "TTL": 60},
    ]
    batches = [
        json.loads(line.partition("--change-batch ")[2])["Changes"]
        for line in shell(doing, list_resource_record_sets=json.dumps(records))
    ]
    assert {change["Action"] for batch in batches for change in batch} == {"UPSERT"}
    shifted, back = ([change["ResourceRecordSet"] for change in batch] for batch in batches)
    assert back == records
    weights = {record["SetIdentifier"]: record["Weight"] for record in shifted}
    assert weights == doing.wanted({"eu": 101, "us": 250}) == {"eu": 75, "us": 255}
    assert [{**record, "Weight": 0} for record in shifted] == [{**record, "Weight": 0} for record in records]


def test_a_distribution_goes_back_whole_with_the_version_it_had(shell: Any) -> None:
    doing = acting("set-default-origin", "AWS::CloudFront::Distribution", "E1ABC", origin="standby")
    config = {"Comment": "kept", "DefaultCacheBehavior": {"TargetOriginId": "main", "Compress": True}}
    found = json.dumps({"DistributionConfig": config, "ETag": "V1"})
    done = shell(doing, get_distribution_config=found)
    sent = [json.loads(line.partition("--distribution-config ")[2]) for line in done]
    assert sent[0] == {**config, "DefaultCacheBehavior": {"TargetOriginId": "standby", "Compress": True}}
    assert all("--if-match" in line for line in done)


def test_addresses_are_added_and_taken_out_beside_those_of_others(shell: Any) -> None:
    doing = acting(
        "block-addresses", "AWS::WAFv2::WebACL", "REGIONAL/shop", ip_set="attackers", addresses="192.0.2.7,2001:db8::1"
    )
    ours = ["192.0.2.7/32", "2001:db8::1/128"]
    found = {"IPSet": {"Name": "attackers", "Id": "id-1", "Addresses": ["198.51.100.9/32"]}, "LockToken": "token"}
    sent = [
        json.loads(line.partition("--cli-input-json ")[2])
        for line in shell(doing, list_ip_sets="id-1", get_ip_set=json.dumps(found))
    ]
    assert [sorted(each["Addresses"]) for each in sent] == [sorted([*ours, "198.51.100.9/32"]), ["198.51.100.9/32"]]
    assert all((each["Name"], each["Id"], each["LockToken"]) == ("attackers", "id-1", "token") for each in sent)


@pytest.mark.parametrize("before", ["None", '{"Version": "2012-10-17", "Statement": []}'])
def test_a_revocation_is_put_and_what_was_there_is_put_back(shell: Any, before: str) -> None:
    doing = acting("revoke-sessions", "AWS::IAM::Role", "shop-web")
    done, undone = shell(doing, get_role_policy=before)
    policy = json.loads(done.partition("--policy-document ")[2])
    assert policy["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"].endswith("Z")
    if before == "None":
        assert undone.startswith("iam delete-role-policy ")
    else:
        assert undone.partition("--policy-document ")[2] == before


@pytest.mark.parametrize(
    ("routes", "done", "undone"),
    [
        ([], "create-route", "delete-route"),
        (
            [{"DestinationCidrBlock": "10.20.0.0/16", "GatewayId": "vgw-1", "State": "active"}],
            "replace-route",
            "replace-route",
        ),
    ],
)
def test_a_route_goes_the_recorded_way_and_back(shell: Any, routes: list[Any], done: str, undone: str) -> None:
    doing = acting("restore-route", "AWS::EC2::RouteTable", "rtb-0abcdef12", destination="10.20.0.0/16")
    record = "0.0.0.0/0 igw-1\n10.20.0.0/16 tgw-1\n"
    first, second = shell(doing, describe_route_tables=json.dumps(routes), get_parameter=record)
    which = f"--region {PLACE.region} --route-table-id rtb-0abcdef12 --destination-cidr-block 10.20.0.0/16"
    assert first == f"ec2 {done} {which} --transit-gateway-id tgw-1"
    assert second == f"ec2 {undone} {which}" + (" --gateway-id vgw-1" if routes else "")


def test_every_undo_on_its_own_says_what_was_there_before() -> None:
    """As it is pasted from a page, by people who never saw the value."""
    from incidentio.mitigate.actions.action import Change

    told = {
        "quarantine": acting("quarantine-instance", "AWS::EC2::Instance", "i-0abcdef12", group="sg-0aaaaaaaa").commands(
            Change({"eni-1": ["sg-1"]}, {"eni-1": ["sg-0aaaaaaaa"]})
        ),
        "weight": acting("shift-weight", "AWS::Route53::RecordSet", "Z1/a.example/A", source="eu", to="us").commands(
            Change({"eu": 7, "us": 0}, {"eu": 0, "us": 7})
        ),
        "origin": acting("set-default-origin", "AWS::CloudFront::Distribution", "E1", origin="standby").commands(
            Change("main", "standby")
        ),
        "role": acting("revoke-sessions", "AWS::IAM::Role", "shop-web").commands(
            Change("2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z")
        ),
    }
    wanted = {"quarantine": "--groups sg-1", "weight": '"eu": 7', "origin": "--arg origin main", "role": "2026-01-01"}
    for name, text in wanted.items():
        assert any(text in line for line in told[name].undo), told[name].undo
