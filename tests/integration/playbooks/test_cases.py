"""Every case of every playbook, on the emulator with IAM enforced, in the real envelope; only waits take time."""

from typing import Any

import pytest

from incidentio.core.playbook import Playbook
from infra.cases.model import ROOT, Case, load_cases, playbooks
from infra.documents import load_playbooks
from tests.integration.playbooks.rehearsal import rehearsed

LIBRARY = load_playbooks(ROOT / "playbooks")
EVERY = [
    pytest.param(LIBRARY[name], case, id=f"{name}: {case.name}") for name in playbooks() for case in load_cases(name)
]


@pytest.mark.parametrize(("playbook", "case"), EVERY)
def test_it_does_as_it_promises(emulator: dict[str, Any], playbook: Playbook, case: Case) -> None:
    with rehearsed(emulator, playbook, case) as rehearsal:
        before = rehearsal.now(case.expect.finally_)
        run = rehearsal.play()
        happened = f"{run.outcome} ({run.reason or 'no reason given'})"
        assert run.outcome == case.expect.outcome, (
            f"expect.outcome is {case.expect.outcome}, and the run was {happened}"
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
