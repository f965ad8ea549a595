"""docs/write-a-playbook.md: its example loads, its mistake is told as printed, and its tables are the code's."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from incidentio.core.errors import InvalidInput
from incidentio.core.labels import EVERYWHERE
from incidentio.core.playbook import Playbook, Risk
from incidentio.mitigate.actions import ACTIONS, action_named
from infra.cases.estates import _OF_TYPE
from infra.cases.model import Case, Expect, When, load_cases
from infra.documents import load_catalog, load_playbooks

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "write-a-playbook.md").read_text()


def example(first_words: str) -> str:
    (found,) = [text for text in re.findall(r"```\w+\n(.*?)```", PAGE, re.DOTALL) if text.startswith(first_words)]
    return str(found)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "playbooks" / "cap-reports" / "playbook.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(example("# playbooks/cap-reports/playbook.yaml"))
    return path


def test_the_example_is_a_playbook(written: Path) -> None:
    assert load_playbooks(written.parents[1])["cap-reports"].risk is Risk.DISRUPTIVE


def test_the_mistake_is_told_as_printed(written: Path) -> None:
    written.write_text(written.read_text().replace("set-reserved-concurrency", "set-concurrency"))
    with pytest.raises(InvalidInput) as told:
        load_playbooks(written.parents[1])
    printed = example("playbooks/cap-reports/playbook.yaml:").strip()
    assert told.value.message == printed.replace("…", ", ".join(ACTIONS))


def test_the_opt_in_is_a_catalogue(tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(example("# infra/catalog/services.yaml"))
    catalog = load_catalog(tmp_path, load_playbooks(ROOT / "playbooks"))
    assert catalog.services["reports"].automation.auto == ("scale-out-service",)


def test_its_cases_have_every_outcome(written: Path) -> None:
    (written.parent / "cases.yaml").write_text(example("# playbooks/cap-reports/cases.yaml"))
    cases = load_cases("cap-reports", written.parents[1])
    assert {case.expect.outcome for case in cases} == {"succeeded", "rolled_back", "refused", "planned"}
    assert any(case.when.then for case in cases)
    assert any(case.when.meanwhile for case in cases)


def test_the_case_is_a_case() -> None:
    (case,) = yaml.safe_load(example("- name: gives the old cap back"))
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
