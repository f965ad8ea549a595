"""The Amazon States Language as AWS checks it: cfn-lint's schema, and rules of the documentation it does not hold."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from infra.compiler import compile_playbook
from infra.compiler.graph import Graph
from tests.unit.compiler.test_envelope import languages, shipped, variants

# https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html and the page of each state
FIELDS = {
    "Task": {
        "Type", "Resource", "Arguments", "TimeoutSeconds", "Retry", "Catch", "Assign", "Output", "Next",
    },
    "Choice": {"Type", "Choices", "Default", "Assign"},
    "Wait": {"Type", "Seconds", "Output", "Next"},
    "Pass": {"Type", "Output", "Next", "End"},
    "Parallel": {"Type", "Branches", "Output", "Catch", "Next"},
    "Succeed": {"Type"},
    "Fail": {"Type", "Error", "Cause"},
}  # fmt: skip


@pytest.fixture(params=[*variants(), *languages(), *shipped()], ids=lambda p: f"{p.name}-{p.risk}-{len(p.steps)}")
def machine(request: pytest.FixtureRequest) -> dict[str, Any]:
    return compile_playbook(
        request.param, control_arn="arn:aws:lambda:eu-west-1:111122223333:function:c", action_arn="a"
    )


def test_cfn_lint_accepts_the_library() -> None:
    machines = {
        f"Machine{number}": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": "arn:aws:iam::111122223333:role/machine",
                "DefinitionString": json.dumps(
                    compile_playbook(playbook, control_arn="arn:control", action_arn="arn:action")
                ),
            },
        }
        for number, playbook in enumerate([*shipped(), *languages()])
    }
    found = lint(json.dumps({"Resources": machines}), config=ManualArgs(regions=["eu-west-1"]))
    assert not [match.message for match in found]


def test_each_state_has_only_fields_of_its_type(machine: dict[str, Any]) -> None:
    for name, state in Graph(machine).states.items():
        assert set(state) <= FIELDS[state["Type"]], name
        assert len(name) <= 80


def test_retries_are_in_range(machine: dict[str, Any]) -> None:
    for name, state in Graph(machine).states.items():
        for retry in state.get("Retry", ()):
            assert 1 <= retry["IntervalSeconds"] <= 99_999_999, name
            assert retry["BackoffRate"] >= 1, name
            assert 0 <= retry["MaxAttempts"] <= 99_999_999, name
            assert retry.get("MaxDelaySeconds", 31_622_400) > retry["IntervalSeconds"], name
        for catches in (state.get("Retry", ()), state.get("Catch", ())):
            for number, each in enumerate(catches, start=1):
                if "States.ALL" in each["ErrorEquals"]:
                    assert (each["ErrorEquals"], number) == (["States.ALL"], len(catches)), f"{name}: alone and last"


def test_an_expression_fills_its_whole_text_and_reads_what_was_assigned(machine: dict[str, Any]) -> None:
    """AWS refuses `{%` in the middle of a text, and fails an execution that reads an unknown variable."""
    text = json.dumps(machine["States"])
    for found in re.findall(r'"((?:[^"\\]|\\.)*\{%(?:[^"\\]|\\.)*)"', text):
        assert re.fullmatch(r"\{% .* %\}", found), found
    assigned = {name for state in Graph(machine).states.values() for name in _assigned(state)}
    read = set(re.findall(r"\$([a-z]\w*)", text)) - {"exists", "states", "substring"}
    assert read <= assigned


def test_no_two_branches_and_nothing_around_them_share_a_variable(machine: dict[str, Any]) -> None:
    """AWS keeps branches apart and refuses a name of the outside; the local target has one scope for all."""
    scopes = [set(_names(states)) for states in _scopes(machine)]
    assert not [name for a, b in itertools.combinations(scopes, 2) for name in a & b]


def _scopes(machine: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    yield list(machine["States"].values())
    for state in machine["States"].values():
        yield from (list(branch["States"].values()) for branch in state.get("Branches", ()))


def _names(states: list[dict[str, Any]]) -> Iterator[str]:
    return (name for state in states for name in _assigned(state))


def _assigned(state: dict[str, Any]) -> set[str]:
    places = [state, *state.get("Choices", ()), *state.get("Catch", ())]
    return {name for place in places for name in place.get("Assign", {})}
