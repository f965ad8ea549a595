"""Each action on the emulator with IAM enforced, by a caller who has what the action declares and nothing else.

On which resource is checked less finely here than on AWS (infra/local/rights.py); which calls, just the same.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from incidentio.core.errors import Forbidden
from incidentio.core.playbook import Playbook
from incidentio.mitigate.actions import Place, Statement, compare_and_set, permissions_for, prepared
from incidentio.mitigate.actions.action import SYSTEM_TAG, Action, Call
from tests.integration.caller import caller, clients

IN_HAND = ("disable-rule", "disable-schedule", "set-desired-count", "set-reserved-concurrency")
every_action = pytest.mark.parametrize("name", IN_HAND)


class Estate:
    """A real function, service, rule and schedule on the target, named for one test."""

    def __init__(self, target: dict[str, Any]) -> None:
        self._target = target
        self.tag = uuid.uuid4().hex[:8]
        self.place = Place(partition="aws", account=target["account"], region=target["region"])

    def client(self, service: str) -> Any:
        return clients(self._target)(service)

    def caller(self, statements: list[Statement], *, bounded: bool = False) -> Call:
        return caller(self._target, statements, bounded=bounded)

    def make(self, name: str, **tags: str) -> "Case":
        return {
            "set-reserved-concurrency": self._function,
            "set-desired-count": self._service,
            "disable-rule": self._rule,
            "disable-schedule": self._schedule,
        }[name](tags)

    def _function(self, tags: dict[str, str]) -> "Case":
        function, client = f"checkout-{self.tag}", self.client("lambda")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.client("iam").create_role(RoleName=function, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", "def handler(event, context):\n    return None\n")
        client.create_function(
            FunctionName=function,
            Runtime="python3.13",
            Handler="index.handler",
            Role=role,
            Code={"ZipFile": code.getvalue()},
            Tags=tags,
        )
        return Case(
            self,
            "set-reserved-concurrency",
            {"value": 0},
            f"AWS::Lambda::Function|{self.place.account}|{self.place.region}|{function}",
            lambda: client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions"),
        )

    def _service(self, tags: dict[str, str]) -> "Case":
        name, client = f"web-{self.tag}", self.client("ecs")
        client.create_cluster(clusterName=name)
        client.register_task_definition(
            family=name, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}]
        )
        client.create_service(
            cluster=name,
            serviceName=name,
            taskDefinition=name,
            desiredCount=2,
            tags=[{"key": k, "value": v} for k, v in tags.items()],
        )
        return Case(
            self,
            "set-desired-count",
            {"add": 2, "max": 10},
            f"AWS::ECS::Service|{self.place.account}|{self.place.region}|{name}/{name}",
            lambda: client.describe_services(cluster=name, services=[name])["services"][0]["desiredCount"],
        )

    def _rule(self, tags: dict[str, str]) -> "Case":
        name, client = f"loop-{self.tag}", self.client("events")
        client.put_rule(
            Name=name,
            ScheduleExpression="rate(1 hour)",
            Tags=[{"Key": k, "Value": v} for k, v in tags.items()],
        )
        return Case(
            self,
            "disable-rule",
            {"rule": name},
            f"AWS::Lambda::Function|{self.place.account}|{self.place.region}|any",
            lambda: client.describe_rule(Name=name)["State"],
        )

    def _schedule(self, tags: dict[str, str]) -> "Case":
        name, client = f"nightly-{self.tag}", self.client("scheduler")
        client.create_schedule_group(Name=name, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        client.create_schedule(
            Name=name,
            GroupName=name,
            ScheduleExpression="rate(1 hour)",
            Description="kept",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": self.place.arn("lambda", "function:any"),
                "RoleArn": f"arn:aws:iam::{self.place.account}:role/any",
                "Input": '{"kept": true}',
            },
        )
        return Case(
            self,
            "disable-schedule",
            {"schedule": name, "group": name},
            f"AWS::Lambda::Function|{self.place.account}|{self.place.region}|any",
            lambda: client.get_schedule(Name=name, GroupName=name)["State"],
        )


class Case:
    """One action on one real resource."""

    def __init__(self, estate: Estate, name: str, given: dict[str, Any], target: str, value: Callable[[], Any]) -> None:
        self.value = value
        self.action: Action[Any] = prepared(name, given, target, estate.place)
        book = Playbook.model_validate(
            {
                "name": "test-playbook",
                "version": "1.0.0",
                "owner": "tests",
                "risk": "safe",
                "targets": {"type": target.split("|", 1)[0]},
                "steps": [{"action": name, "with": given}],
            }
        )
        place = estate.place
        self.rights = permissions_for(book, partition=place.partition, account=place.account, region=place.region)


@pytest.fixture
def estate(emulator: dict[str, Any]) -> Estate:
    return Estate(emulator)


@every_action
def test_the_declared_rights_are_enough_to_act_and_to_give_back(estate: Estate, name: str) -> None:
    case = estate.make(name)
    call = estate.caller(case.rights, bounded=True)
    found = case.value()
    taken = compare_and_set.snapshot(case.action, call)
    assert 1 <= taken["targets"] <= taken["of"]
    snapshot = taken["snapshot"]
    assert compare_and_set.apply(case.action, call, snapshot)["applied"]
    assert case.value() == snapshot["after"] != found
    assert compare_and_set.verify(case.action, call, snapshot)["verified"]
    assert compare_and_set.rollback(case.action, call, snapshot)["result"] == "restored"
    assert case.value() == found
    assert compare_and_set.rollback(case.action, call, snapshot)["result"] == "already"


@every_action
def test_without_a_declared_right_it_is_refused_and_nothing_changes(estate: Estate, name: str) -> None:
    case = estate.make(name)
    found = case.value()
    reading = [
        Statement(tuple(a for a in s.actions if a.split(":")[1].startswith(("Get", "List", "Describe"))), s.resources)
        for s in case.rights
    ]
    call = estate.caller([statement for statement in reading if statement.actions])
    with pytest.raises(Forbidden):
        compare_and_set.apply(case.action, call, compare_and_set.snapshot(case.action, call)["snapshot"])
    assert case.value() == found


@every_action
def test_what_carries_our_tag_is_refused(estate: Estate, name: str) -> None:
    case = estate.make(name, **{SYSTEM_TAG: "true"})
    found = case.value()
    with pytest.raises(Forbidden):
        compare_and_set.snapshot(case.action, estate.caller(case.rights))
    assert case.value() == found
