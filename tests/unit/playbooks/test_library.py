"""What every playbook we ship must have: readable folder, true promises, a way to undo it by hand."""

import re

import pytest

from incidentio.core.playbook import Playbook
from incidentio.core.risk import Risk
from incidentio.mitigate.actions import action_named
from infra.cases.estates import estate_of
from infra.cases.model import ROOT, load_cases, load_page, playbooks
from infra.documents import load_playbooks
from infra.pages.__main__ import examples
from infra.pages.commands import example_commands

CONTAINS = {"disable-access-key", "isolate-instance", "revoke-role-sessions"}
"""What they answer to does not recover by itself, and giving back because of that would let the intruder in again."""

every_playbook = pytest.mark.parametrize("name", playbooks())


@pytest.fixture(scope="module")
def library() -> dict[str, Playbook]:
    return load_playbooks(ROOT / "playbooks")


def _one_way(playbook: Playbook) -> bool:
    return any(action_named(step.action).one_way for step in playbook.steps)


@every_playbook
def test_its_cases_cover_what_may_happen_to_it(name: str, library: dict[str, Playbook]) -> None:
    cases = load_cases(name)
    assert len({case.name for case in cases}) == len(cases)
    playbook, looks = library[name], library[name].risk is Risk.READ_ONLY
    wanted = {"succeeded", "planned"} | (set() if looks else {"refused"})
    if playbook.verify:
        wanted |= {"rolled_back"}
    missing = wanted - {case.expect.outcome for case in cases}
    assert not missing, f"playbooks/{name}/cases.yaml has no case whose outcome is {', '.join(sorted(missing))}"
    if playbook.revert:
        assert any(case.when.then == "resolve" for case in cases), "given back when the incident is resolved"
    if not looks and not _one_way(playbook):
        assert any(case.when.meanwhile for case in cases), "somebody else's change"


@every_playbook
def test_its_cases_use_parameters_it_has(name: str, library: dict[str, Playbook]) -> None:
    named = estate_of(library[name]).named
    known = {parameter: named[parameter] for parameter in library[name].parameters if parameter in named}
    for case in load_cases(name):
        library[name].bind({**known, **case.when.parameters})


@every_playbook
def test_it_borrows_verifies_and_says_what_it_risks(name: str, library: dict[str, Playbook]) -> None:
    playbook = library[name]
    assert playbook.when
    assert playbook.description
    if playbook.risk is not Risk.READ_ONLY:
        assert bool(playbook.verify) != (name in CONTAINS)
        borrows = playbook.revert or playbook.undoes_change or _one_way(playbook)
        assert borrows, "what can be given back is borrowed, unless that would bring a bad change back"
    assert playbook.approval.note or playbook.risk.approvals == 0, "people who approve are told what they approve"


@every_playbook
def test_its_page_tells_each_parameter_and_the_risk(name: str, library: dict[str, Playbook]) -> None:
    page = load_page(name)
    playbook = library[name]
    readme = f"playbooks/{name}/README.md"
    assert page.startswith(f"# {name}\n"), f"the first line of {readme} must be: # {name}"
    risk = f"**Risk: {playbook.risk.value}.**"
    assert risk in page, f"{readme} does not say {risk}"
    for parameter, definition in playbook.parameters.items():
        default = "empty" if definition.default == "" else f"{definition.default}"
        assert re.search(rf"^\| `{parameter}` \| `?{re.escape(default)}`? \|", page, re.MULTILINE), (
            f"{readme} has no table row: | `{parameter}` | {default} | … |"
        )


@every_playbook
def test_it_can_be_done_and_undone_without_us(name: str, library: dict[str, Playbook]) -> None:
    """Its `commands.md` says how; that it is up to date is for `make check`."""
    playbook = library[name]
    _, _, commands = example_commands(playbook, examples(name))
    assert commands.look
    if playbook.risk is not Risk.READ_ONLY:
        assert len(commands.do) >= len(playbook.steps)
        assert commands.undo or _one_way(playbook)


def test_what_takes_a_change_back_asks_whether_it_may(library: dict[str, Playbook]) -> None:
    undoing = {name for name, playbook in library.items() if playbook.undoes_change}
    assert undoing >= {"disable-feature-flag", "rollback-function", "rollback-service", "stop-deployment"}


def test_stopping_a_workload_says_what_becomes_of_its_events(library: dict[str, Playbook]) -> None:
    note = library["stop-runaway-workload"].approval.note
    assert "asynchronous events" in note
    assert "DLQ" in note
    assert "dropped" in note
