"""What the envelope promises for every playbook, tried with each: nobody writes a case for these."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from incidentio.core.errors import Forbidden
from incidentio.core.playbook import Playbook
from incidentio.core.ports import Put
from incidentio.core.risk import Risk
from incidentio.mitigate.actions import action_named
from incidentio.mitigate.actions.action import Reach
from incidentio.mitigate.control.gate import rate_records
from incidentio.mitigate.control.locks import lock_record
from incidentio.mitigate.run import Run
from incidentio.mitigate.switches import GLOBAL, set_switch
from infra.cases.model import ROOT, Case, load_cases, playbooks
from infra.documents import load_playbooks
from tests.integration.playbooks.rehearsal import Rehearsal, rehearsed
from tests.make import ALICE, BOB

LIBRARY = load_playbooks(ROOT / "playbooks")
EVERY = [LIBRARY[name] for name in playbooks()]


def each(fits: Callable[[Playbook], bool] = lambda _: True) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("playbook", [pytest.param(p, id=p.name) for p in EVERY if fits(p)])


def approved(playbook: Playbook) -> bool:
    return playbook.risk.approvals > 0


def changes(playbook: Playbook) -> bool:
    return playbook.risk is not Risk.READ_ONLY


def undoable(playbook: Playbook) -> bool:
    return changes(playbook) and not any(action_named(step.action).one_way for step in playbook.steps)


def happy(playbook: Playbook) -> Case:
    """The case that succeeds and has most to say of what is there."""
    return max(
        (case for case in load_cases(playbook.name) if case.expect.outcome == "succeeded"),
        key=lambda case: len(case.given),
    )


@contextmanager
def unchanged(target: Mapping[str, Any], playbook: Playbook, case: Case | None = None) -> Iterator[Rehearsal]:
    """A rehearsal after which AWS must be as it was before."""
    with rehearsed(target, playbook, case or happy(playbook)) as rehearsal:
        before = rehearsal.state()
        yield rehearsal
        assert rehearsal.state() == before


@each(approved)
def test_rejected_it_changes_nothing(emulator: dict[str, Any], playbook: Playbook) -> None:
    with unchanged(emulator, playbook) as rehearsal:
        rehearsal.stage.people = lambda: rehearsal.stage.decide(BOB, "reject", "not now")
        run = rehearsal.play()
        assert run.outcome == "refused"
        assert "not now" in run.reason


@each(approved)
def test_the_requester_cannot_approve_it(emulator: dict[str, Any], playbook: Playbook) -> None:
    with unchanged(emulator, playbook) as rehearsal:
        refused: list[bool] = []

        def people() -> None:
            with pytest.raises(Forbidden):
                rehearsal.stage.decide(ALICE)
            refused.append(True)

        rehearsal.stage.people = people
        assert rehearsal.play().outcome == "refused"
        assert refused


@each(approved)
def test_approved_by_too_few_it_changes_nothing(emulator: dict[str, Any], playbook: Playbook) -> None:
    """Nobody answers, or one person where two must: the approval expires."""
    with unchanged(emulator, playbook) as rehearsal:
        few = [BOB][: playbook.risk.approvals - 1]
        rehearsal.stage.people = lambda: [rehearsal.stage.decide(few.pop()) for _ in tuple(few)]
        assert rehearsal.play().outcome == "refused"
        assert {"ApprovalRequested", "ApprovalExpired"} <= set(rehearsal.stage.types)
        if playbook.approval.on_timeout == "escalate":
            assert "ApprovalEscalated" in rehearsal.stage.types


@each()
def test_stopped_after_it_looked_it_changes_nothing(emulator: dict[str, Any], playbook: Playbook) -> None:
    with unchanged(emulator, playbook) as rehearsal:
        when(rehearsal, "keep", 1, lambda: stop(rehearsal))
        run = rehearsal.play()
        assert run.outcome == "refused"
        assert "hands off" in run.reason


@each(lambda p: undoable(p) and p.verify is not None)
def test_stopped_after_it_acted_it_gives_everything_back(emulator: dict[str, Any], playbook: Playbook) -> None:
    with unchanged(emulator, playbook) as rehearsal:
        when(rehearsal, "watch", 0, lambda: stop(rehearsal))
        run = rehearsal.play()
        assert run.outcome == "rolled_back"
        assert "hands off" in run.reason


@each()
def test_over_its_blast_radius_it_changes_nothing(
    emulator: dict[str, Any], playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = playbook.targets.max
    for step in playbook.steps:
        reach = Reach(targets=limit.count + 1, of=limit.count + 1)
        monkeypatch.setattr(action_named(step.action), "reach", lambda _self, _call, reach=reach: reach)
    with unchanged(emulator, playbook) as rehearsal:
        run = rehearsal.play()
        assert run.outcome == "refused"
        assert f"at most {limit.count}" in run.reason


@each()
def test_over_its_rate_limit_it_changes_nothing(emulator: dict[str, Any], playbook: Playbook) -> None:
    with unchanged(emulator, playbook) as rehearsal:
        asked, now = rehearsal.ask(), rehearsal.stage.clock()
        for n in range(playbook.rate_limit.runs):
            earlier = asked.having(run_id=f"RUN-000000-0000000{n}")
            rehearsal.stage.table.write(*map(Put, rate_records(earlier, playbook, now, now)))
        rehearsal.stage.play()
        run = rehearsal.stage.run(asked)
        assert run.outcome == "refused"
        assert f"at most {playbook.rate_limit.runs}" in run.reason


@each()
def test_while_another_holds_the_target_only_looking_goes_on(emulator: dict[str, Any], playbook: Playbook) -> None:
    with unchanged(emulator, playbook) as rehearsal:
        run = _beside_another(rehearsal)
        if changes(playbook):
            assert run.outcome == "refused"
            assert "in the hands of" in run.reason
        else:
            assert run.outcome == "succeeded"


def _beside_another(rehearsal: Rehearsal) -> Run:
    asked, now = rehearsal.ask(), rehearsal.stage.clock()
    owner = asked.having(run_id="RUN-000000-00000000")
    rehearsal.stage.table.write(Put(lock_record(owner, owner.target, now, now.replace(year=now.year + 1))))
    rehearsal.stage.play()
    return rehearsal.stage.run(asked)


@each(undoable)
def test_refused_at_any_step_it_gives_back_what_it_did(
    emulator: dict[str, Any], playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fails_at_each_step(emulator, playbook, monkeypatch, lands=False)


@each(undoable)
def test_with_an_error_after_any_change_it_gives_that_back_too(
    emulator: dict[str, Any], playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fails_at_each_step(emulator, playbook, monkeypatch, lands=True)


def _fails_at_each_step(
    emulator: dict[str, Any], playbook: Playbook, monkeypatch: pytest.MonkeyPatch, *, lands: bool
) -> None:
    """AWS refuses the change of one step, or makes it (`lands`) and answers with an error."""
    failed = 0
    for n, step in enumerate(playbook.steps, start=1):
        with monkeypatch.context() as patch, unchanged(emulator, playbook) as rehearsal:
            refusing = Refusing(action_named(step.action), patch, lands=lands)
            when(rehearsal, "apply", n, refusing.arm)
            run = rehearsal.play()
            if not refusing.refused:
                continue  # in this case the step has nothing to do
            assert run.outcome == "rolled_back", (n, rehearsal.stage.types)
            assert "no, says AWS" in run.reason
            assert [s.status for s in run.steps[n:]] == ["pending"] * len(run.steps[n:])
            failed += 1
    assert failed


@each(changes)
def test_a_dry_run_writes_nothing(
    emulator: dict[str, Any], playbook: Playbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in playbook.steps:
        refusing = Refusing(action_named(step.action), monkeypatch, lands=True)
        refusing.arm()
    case = happy(playbook)
    case = case.model_copy(update={"when": case.when.model_copy(update={"dry_run": True})})
    with unchanged(emulator, playbook, case) as rehearsal:
        run = rehearsal.play()
        assert run.outcome == "planned"
        assert not {"PlaybookStarted", "StepApplied"} & set(rehearsal.stage.types)


class Refusing:
    """Once armed, the next change that `action` makes is refused; `lands`: and made all the same."""

    def __init__(self, action: Any, patch: pytest.MonkeyPatch, *, lands: bool) -> None:
        self.armed = self.refused = False
        write = action.write

        def refuse(doing: Any, call: Any, value: Any) -> None:
            refusing, self.armed = self.armed, False
            if not refusing or lands:
                write(doing, call, value)
            if refusing:
                self.refused = True
                raise Forbidden("no, says AWS")

        patch.setattr(action, "write", refuse)

    def arm(self) -> None:
        self.armed = True


def stop(rehearsal: Rehearsal) -> None:
    set_switch(rehearsal.stage.table, GLOBAL, True, BOB, "enough", now=rehearsal.stage.clock())


def when(rehearsal: Rehearsal, op: str, step: int, act: Callable[[], Any]) -> None:
    """Before `op` of `step` is answered (0: of any), once."""
    left = [act]

    def asked(_arn: str, payload: Mapping[str, Any]) -> None:
        if left and payload["op"] == op and step in (0, payload.get("step")):
            left.pop()()

    rehearsal.stage.asked = asked
