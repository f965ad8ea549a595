"""The envelope around a playbook's steps. No author can leave a part of it out.

    gate → approval → gate again → lock → per action: begin, snapshot, keep, apply, confirm, record
    → watch → settle;  on any failure or stop: undo in reverse → finish

The same machine restores a lease (`mode: revert`) and cleans up after an execution that died
(`mode: recover`): both go straight to the undo. Only ids travel; everything else is in the table.
"""

from typing import Any

from incidentio.core.playbook import Playbook
from infra.compiler.limits import (
    CONTROL_SECONDS,
    GRACE_SECONDS,
    UnsoundMachine,
    action_timeout,
    check,
    paced,
    polls,
)
from infra.compiler.proof import flaws
from infra.compiler.states import (
    ANSWER,
    MODE,
    State,
    action,
    choose,
    control,
    expression,
    outcome,
    pause,
)
from infra.compiler.steps import Forms, begin_of
from infra.compiler.undo import undo_states


def compile_playbook(playbook: Playbook, *, control_arn: str, action_arn: str, pace: float = 1.0) -> dict[str, Any]:
    """The state machine of `playbook`, ready for `json.dumps`; the same input gives the same bytes.

    Args:
        playbook: what to compile.
        control_arn: the shared control function (tokens of CDK are fine).
        action_arn: this playbook's own action function.
        pace: scales the waits of confirming, verifying and recovering, never a timeout or an approval.

    Raises:
        UnfitPlaybook: a run of it could not fit into one execution.
        UnsoundMachine: the compiler itself is wrong.
    """
    check(playbook, pace=pace)
    machine = _Envelope(playbook, control_arn, action_arn, pace).machine()
    if found := flaws(machine, playbook, control_arn=control_arn, action_arn=action_arn):
        raise UnsoundMachine(f"{playbook.name}: {'; '.join(found)}")
    return machine


class _Envelope:
    def __init__(self, playbook: Playbook, control_arn: str, action_arn: str, pace: float) -> None:
        self._playbook = playbook
        self._control = control_arn
        self._action = action_arn
        self._pace = pace
        self._action_wait = action_timeout(playbook) + GRACE_SECONDS
        self._forms = Forms(control_arn, action_arn, action_wait=self._action_wait, pace=pace)

    def machine(self) -> dict[str, Any]:
        playbook = self._playbook
        return {
            "Comment": f"{playbook.name} {playbook.version}, definition {playbook.definition_hash}",
            "QueryLanguage": "JSONata",
            "StartAt": "Mode",
            "States": {**self._start(), **self._steps(), **self._watch(), **self._undo(), **self._plan()},
        }

    def _start(self) -> dict[str, State]:
        asks = self._playbook.risk.approvals > 0
        clean = {"error": "", "looked": 0, "planned": {}, "call": {"step": 0}, "outcome": "ended"}
        return {
            "Mode": {
                "Type": "Choice",
                "Choices": [{"Condition": expression(f"{MODE} = 'run'"), "Assign": clean, "Next": "Gate"}],
                "Assign": clean,
                "Default": "Resume",
            },
            "Gate": self._ask_control("gate", then="MayStart", stage="requested", **self._definition()),
            "MayStart": choose({"go": "Approval" if asks else "SecondGate", "plan": "PlanNext"}, otherwise="Refused"),
            **(self._approval() if asks else {}),
            "SecondGate": self._ask_control("gate", then="MayAct", stage="approved", **self._definition()),
            "MayAct": choose({"go": "Lock"}, otherwise="Refused"),
            "Lock": self._ask_control("lock", then="Locked"),
            "Locked": choose({"go": begin_of(self._playbook.blocks[0])}, otherwise="Refused"),
            "Refused": outcome("refused"),
        }

    def _approval(self) -> dict[str, State]:
        approval = self._playbook.approval
        escalates = approval.on_timeout == "escalate"
        states = {"Approval": self._wait_for_people(1, unanswered="ApprovalEscalated" if escalates else "SecondGate")}
        if escalates:
            states["ApprovalEscalated"] = self._wait_for_people(2, unanswered="SecondGate")
        return states

    def _wait_for_people(self, turn: int, *, unanswered: str) -> State:
        return control(
            self._control,
            "ask",
            then="SecondGate",
            caught="Stop",
            unanswered=unanswered,
            timeout=int(self._playbook.approval.timeout.total_seconds()),
            token=True,
            turn=turn,
            **self._definition(),
        )

    def _steps(self) -> dict[str, State]:
        blocks = self._playbook.blocks
        begins = [*map(begin_of, blocks[1:]), "WatchPause" if self._playbook.verify else "Settle"]
        return {
            name: state
            for block, after in zip(blocks, begins, strict=True)
            for name, state in self._forms.block(block, after).items()
        }

    def _watch(self) -> dict[str, State]:
        verify = self._playbook.verify
        settle = {
            "Settle": self._ask_control("settle", then="Succeeded", borrow_seconds=self._borrow_seconds()),
            "Succeeded": outcome("succeeded"),
        }
        if verify is None:
            return settle
        watch = polls(verify.within, verify.poll, pace=self._pace)
        return {
            "WatchPause": pause(watch.seconds, then="Watch"),
            "Watch": self._ask_control(
                "watch",
                then="Watched",
                last=expression(f"$looked + 1 >= {watch.count}"),
                assign={"looked": expression("$looked + 1")},
            ),
            "Watched": choose({"go": "Settle", "again": "WatchPause"}, otherwise="Stop"),
            **settle,
        }

    def _undo(self) -> dict[str, State]:
        return undo_states(self._control, self._action, action_wait=self._action_wait, pace=self._pace)

    def _plan(self) -> dict[str, State]:
        return {
            "PlanNext": self._ask_control(
                "plan",
                then="PlanMore",
                planned=expression("$planned"),
                after=expression("$call.step"),
                assign={"call": expression(f"{ANSWER}.call")},
            ),
            "PlanMore": choose({"plan": "Plan"}, otherwise="Planned"),
            "Plan": action(
                self._action,
                "plan",
                step=expression("$call.step"),
                name=expression("$call.action"),
                call="call",
                snapshot=None,
                then="PlanNext",
                caught="Stop",
                timeout=self._action_wait,
                assign={"planned": expression(ANSWER)},
            ),
            "Planned": outcome("planned"),
        }

    def _borrow_seconds(self) -> int:
        revert = self._playbook.revert
        return paced(revert.at_latest.total_seconds(), pace=self._pace) if revert else 0

    def _definition(self) -> dict[str, Any]:
        return {"definition": self._playbook.definition_hash}

    def _ask_control(self, op: str, *, then: str, assign: dict[str, Any] | None = None, **payload: Any) -> State:
        """A control task on the way forward: whatever goes wrong, what was done is undone."""
        return control(self._control, op, then=then, caught="Stop", timeout=CONTROL_SECONDS, assign=assign, **payload)
