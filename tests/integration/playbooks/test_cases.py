"""Every case of every playbook, on the emulator with IAM enforced, in the real envelope; only waits take time."""

import re
from typing import Any

import pytest

from incidentio.core.playbook import Playbook
from infra.cases.model import ROOT, Case, load_cases, playbooks
from infra.documents import load_playbooks
from tests.integration.playbooks.rehearsal import Rehearsal, rehearsed

LIBRARY = load_playbooks(ROOT / "playbooks")
EVERY = [
    pytest.param(LIBRARY[name], case, id=f"{name}: {case.name}") for name in playbooks() for case in load_cases(name)
]


@pytest.mark.parametrize(("playbook", "case"), EVERY)
def test_it_does_as_it_promises(emulator: dict[str, Any], playbook: Playbook, case: Case) -> None:
    with rehearsed(emulator, playbook, case) as rehearsal:
        kept(rehearsal)


def test_another_outcome_is_told_with_what_aws_shows(emulator: dict[str, Any]) -> None:
    """Whoever reads it must not have to look into an estate that is gone."""
    name = "throttle-function"
    case = next(case for case in load_cases(name) if case.expect.outcome == "planned")
    wrong = case.model_copy(update={"expect": case.expect.model_copy(update={"outcome": "refused"})})
    shows = re.escape(f"AWS showed {case.expect.finally_} before, and shows {case.expect.finally_} now")
    with (
        rehearsed(emulator, LIBRARY[name], wrong) as rehearsal,
        pytest.raises(AssertionError, match=rf"expect.outcome is refused, and the run was planned \(.*\): {shows}"),
    ):
        kept(rehearsal)


def kept(rehearsal: Rehearsal) -> None:
    """Plays the case; AssertionError says what is not as promised."""
    case = rehearsal.case
    before = rehearsal.now(case.expect.finally_)
    run = rehearsal.play()
    assert run.outcome == case.expect.outcome, (
        f"expect.outcome is {case.expect.outcome}, and the run was {run.outcome} ({run.reason or 'no reason given'}): "
        f"AWS showed {before} before, and shows {rehearsal.now(case.expect.finally_)} now"
    )
    assert bool(rehearsal.watched) == bool(case.expect.applied)
    if case.when.then == "resolve":
        rehearsal.resolve()
    shown = rehearsal.now(case.expect.finally_)
    assert shown == case.expect.finally_, f"expect.finally is {case.expect.finally_}, and AWS shows {shown}"
    missing = sorted(set(case.expect.entries) - set(rehearsal.stage.types))
    assert not missing, f"expect.entries: there is no {', '.join(missing)} among {', '.join(rehearsal.stage.types)}"
    if case.when.dry_run or run.outcome == "refused":
        assert before == case.expect.finally_
