"""A wrong cases.yaml is told as a playbook is: file, line, and what would be right."""

from pathlib import Path

import pytest

from incidentio.core.errors import InvalidInput
from infra.cases.model import load_cases, load_page


def told(folder: Path, text: str) -> str:
    (folder / "cap").mkdir()
    (folder / "cap" / "cases.yaml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load_cases("cap", folder)
    return caught.value.message.replace(str(folder), "playbooks")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "playbooks/cap/cases.yaml:1: expected a list of cases"),
        ("- {name: [", "playbooks/cap/cases.yaml:1: "),
        ("- name: x\n  given: {}\n", "playbooks/cap/cases.yaml:1: [0].expect: this key is required"),
        (
            "- name: x\n  given: {}\n  expect: {outcome: planned, finaly: {}}\n",
            "playbooks/cap/cases.yaml:3: [0].expect.finaly: unknown key: valid are",
        ),
        (
            "- {name: x, given: {}, when: {alarm: recovers}, expect: {outcome: succeeded, finally: {rule: ENABLED}}}",
            "playbooks/cap/cases.yaml:1: [0]: expect.applied is required",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    assert says in told(tmp_path, text)


def test_a_missing_file_is_named_with_where_it_is_described(tmp_path: Path) -> None:
    for load, file in ((load_cases, "cases.yaml"), (load_page, "README.md")):
        with pytest.raises(InvalidInput, match=f"cap/{file}: there is no such file: .*docs/write-a-playbook.md"):
            load("cap", tmp_path)
