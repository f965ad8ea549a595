"""The registry: names, targets, mistakes in steps, and rights that are real, sufficient and needed."""

from functools import cache
from typing import Any

import pytest

from incidentio.core.errors import Forbidden, InvalidInput
from incidentio.core.playbook import Playbook
from incidentio.mitigate.actions import ACTIONS, action_named, check_step, compare_and_set, permissions_for, prepared
from tests.offline import session
from tests.unit.mitigate_actions.estate import ARN, GIVEN, PLACE, TARGETS, Estate, action

NO_API_OF_ITS_OWN = {"iam:PassRole"}
"""Rights that AWS checks inside another call."""

in_memory = pytest.mark.parametrize("name", sorted(GIVEN))


def playbook(*steps: dict[str, Any], type: str = "AWS::Lambda::Function", **changes: Any) -> Playbook:
    return Playbook.model_validate(
        {
            "name": "test-playbook",
            "version": "1.0.0",
            "owner": "tests",
            "risk": "safe",
            "targets": {"type": type},
            "steps": list(steps),
            **changes,
        }
    )


def declared(book: Playbook) -> list[Any]:
    return permissions_for(book, partition=PLACE.partition, account=PLACE.account, region=PLACE.region)


@cache
def operations(service: str) -> set[str]:
    return set(session().get_service_model(service).operation_names)


@in_memory
def test_every_declared_right_is_a_real_iam_action(name: str) -> None:
    book = playbook({"action": name, "with": GIVEN[name]}, type=TARGETS[name].split("|")[0])
    for statement in declared(book):
        assert statement.resources
        for right in statement.actions:
            service, operation = right.split(":")
            assert right in NO_API_OF_ITS_OWN or operation in operations(service), right


@in_memory
def test_what_is_declared_is_what_is_called(name: str) -> None:
    book = playbook({"action": name, "with": GIVEN[name]}, type=TARGETS[name].split("|")[0])
    rights = {right for statement in declared(book) for right in statement.actions}
    called: set[str] = set()
    for reserved in (50, None):
        estate, doing = Estate(reserved=reserved), action(name)
        taken = compare_and_set.snapshot(doing, estate)["snapshot"]
        for step in (compare_and_set.apply, compare_and_set.verify, compare_and_set.rollback):
            step(doing, estate, taken)
        compare_and_set.plan(doing, estate)
        called |= set(estate.calls)
    assert called == rights - NO_API_OF_ITS_OWN


def test_what_a_step_writes_out_narrows_its_rights_and_what_a_run_decides_does_not() -> None:
    fixed = playbook({"action": "disable-rule", "with": {"rule": "loop", "bus": "orders"}})
    assert declared(fixed)[0].resources == (ARN("events", "rule/orders/loop"),)
    default = playbook({"action": "disable-rule", "with": {"rule": "loop"}})
    assert declared(default)[0].resources == (ARN("events", "rule/loop"),)
    parameters = {"x": {"type": "string", "default": ""}}
    late = playbook({"action": "disable-rule", "with": {"rule": "loop", "bus": "${x}"}}, parameters=parameters)
    assert declared(late)[0].resources == (ARN("events", "rule/*"),)
    group = playbook(
        {"action": "disable-schedule", "with": {"schedule": "${x}", "group": "jobs"}}, parameters=parameters
    )
    assert declared(group)[0].resources == (ARN("scheduler", "schedule/jobs/*"),)


def test_passing_a_role_is_for_the_scheduler_only() -> None:
    (passing,) = [
        s
        for s in declared(playbook({"action": "disable-schedule", "with": {"schedule": "a"}}))
        if "iam:PassRole" in s.actions
    ]
    assert passing.conditions == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_the_same_right_is_declared_once() -> None:
    step = {"action": "set-reserved-concurrency", "with": {"value": 1}}
    assert declared(playbook(step, step)) == declared(playbook(step))


def test_an_unknown_action_is_told_the_valid_ones() -> None:
    with pytest.raises(InvalidInput, match=f"unknown action 'reboot': valid are {', '.join(ACTIONS)}"):
        prepared("reboot", {}, TARGETS["disable-rule"], PLACE)


@pytest.mark.parametrize(
    ("target", "error", "told"),
    [
        ("AWS::ECS::Service|111122223333|eu-west-1|a/b", InvalidInput, "acts on AWS::Lambda::Function"),
        ("AWS::Lambda::Function|999999999999|eu-west-1|checkout", Forbidden, "acts only in 111122223333 eu-west-1"),
        ("AWS::Lambda::Function|111122223333|us-east-1|checkout", Forbidden, "acts only in 111122223333 eu-west-1"),
        ("AWS::Lambda::Function|111122223333|eu-west-1|arn:aws:lambda:x", InvalidInput, "is not the name of"),
        ("AWS::Lambda::Function|111122223333|eu-west-1|a; rm -rf /", InvalidInput, "is not the name of"),
        ("checkout", InvalidInput, "expected type|account|region|name"),
    ],
)
def test_a_wrong_target_is_refused(target: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error) as refused:
        prepared("set-reserved-concurrency", {"value": 1}, target, PLACE)
    assert told in str(refused.value)


def test_a_parameter_is_tried_at_its_default_and_both_bounds() -> None:
    limit = {"type": "integer", "minimum": -1, "maximum": 500, "default": 5}
    book = playbook({"action": "set-reserved-concurrency", "with": {"value": "${limit}"}}, parameters={"limit": limit})
    ((at, message),) = check_step(book.steps[0], book)
    assert at == ("with", "value")
    assert message.endswith("must be at least 0, not -1 (it may be -1)")


def test_a_text_without_default_cannot_be_checked_before_a_run() -> None:
    book = playbook({"action": "disable-rule", "with": {"rule": "${r}"}}, parameters={"r": {"type": "string"}})
    assert list(check_step(book.steps[0], book)) == []


@pytest.mark.parametrize("name", ACTIONS)
def test_it_is_known_by_its_own_name(name: str) -> None:
    assert action_named(name).name == name
