"""docs/write-a-playbook.md: its example loads, and its mistake is told as printed."""

import re
from pathlib import Path

import pytest

from incidentio.core.errors import InvalidInput
from incidentio.core.risk import Risk
from incidentio.mitigate.actions import ACTIONS
from infra.cases.model import load_cases
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
