"""docs/playbook-reference.md: its tables are the code's."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from incidentio.core.labels import EVERYWHERE
from incidentio.core.playbook import Playbook
from incidentio.core.risk import Risk
from incidentio.mitigate.actions import ACTIONS, action_named
from infra.cases.estates import _OF_TYPE
from infra.cases.model import Case, Expect, When

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "playbook-reference.md").read_text()


def test_the_case_is_a_case() -> None:
    (example,) = re.findall(r"```yaml\n(- name: .*?)```", PAGE, re.DOTALL)
    (case,) = yaml.safe_load(example)
    assert Case.model_validate(case).expect.outcome == "rolled_back"


def test_every_key_of_the_format_is_told() -> None:
    first_column = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE))))
    assert first_column >= {field.alias or name for name, field in Playbook.model_fields.items()}


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_and_each_of_its_parameters_is_told(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGE, re.MULTILINE)
    assert all(f"`{parameter}`" in row for parameter in action_named(name).parameters.model_fields)


def test_every_label_risk_and_word_of_a_case_is_told() -> None:
    models: tuple[Any, ...] = (Case, When, Expect)
    words = {field.alias or name for model in models for name, field in model.model_fields.items()}
    for word in {*EVERYWHERE, *words, *(risk.value for risk in Risk)}:
        assert f"`{word}" in PAGE, word


@pytest.mark.parametrize("type", sorted(_OF_TYPE))
def test_the_words_of_every_estate_are_told_with_its_target(type: str) -> None:
    module, _, name = _OF_TYPE[type].partition(".")
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{type}` |")]
    words = set(getattr(import_module(f"infra.cases.estates.{module}"), name).values)
    assert words == {word for word in words if f"`{word}`" in row}


def test_each_word_of_a_case_is_told_once() -> None:
    words = re.findall(r"(?m)^\| `(given|tags|when|expect)` \|", PAGE.partition("\n## `cases.yaml`")[2])
    assert words == ["given", "tags", "when", "expect"]
