"""Pages made from the YAML: what they say, and that a page nobody made anew is noticed."""

import re
from pathlib import Path

import pytest

from incidentio.core.playbook import Playbook
from infra.cases.model import ROOT, playbooks
from infra.compiler import compile_playbook
from infra.documents import load_playbooks
from infra.pages.__main__ import pages, stale
from infra.pages.diagram import overview, states
from tests.unit.compiler.golden import books

LIBRARY = load_playbooks(ROOT / "playbooks")
MADE = pages()
each = pytest.mark.parametrize("playbook", [pytest.param(LIBRARY[name], id=name) for name in playbooks()])


def test_a_page_that_was_not_made_anew_is_named(tmp_path: Path) -> None:
    kept, changed, missing = tmp_path / "kept", tmp_path / "changed", tmp_path / "missing"
    kept.write_text("as it is")
    changed.write_text("as it was")
    assert stale({kept: "as it is", changed: "as it is", missing: "as it is"}) == [changed, missing]


def test_every_playbook_is_on_the_page_with_its_rights_and_its_way() -> None:
    page = MADE[ROOT / "docs" / "playbooks.md"]
    for name, playbook in LIBRARY.items():
        assert f"\n| [{name}](#{name}) | " in page
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert overview(playbook) in section
        assert re.search(r"\| `[a-z0-9-]+:\w+`", section)


@each
def test_its_commands_leave_no_parameter_open(playbook: Playbook) -> None:
    page = MADE[ROOT / "playbooks" / playbook.name / "commands.md"]
    assert "# look" in page
    assert not [name for name in playbook.parameters if f"${{{name}}}" in page]


def test_steps_side_by_side_and_by_hand_are_drawn() -> None:
    (every_kind,) = [book for book in books() if book.name == "every-kind"]
    drawn = overview(every_kind)
    for way in ("step2 --> step3", "step2 --> step4", "step4 --> step5", "step3 & step5 --> step6"):
        assert f"  {way}\n" in drawn
    assert "by hand: Tell the shop" in drawn
    assert "wait 45s, if severity='SEV1'" in drawn
    machine = compile_playbook(every_kind, control_arn="control", action_arn="action")
    assert "Step3End" not in states(machine)
    assert "  Branch3End --> Parallel3Join\n" in states(machine)


@each
def test_its_diagram_draws_each_state_and_each_way_once(playbook: Playbook) -> None:
    machine = compile_playbook(playbook, control_arn="control", action_arn="action")
    drawn = states(machine).splitlines()
    assert len(drawn) == len(set(drawn))
    assert {way.rpartition("> ")[2] for way in drawn if "> " in way} == set(machine["States"])
