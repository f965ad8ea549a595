"""The states of one step, and of steps side by side.

In a branch, nothing fails: whatever goes wrong is told to control and ends the branch. So the others come to the end of
the call they are in, and only when all have is anything undone: an apply never overtakes an undo.
"""

from dataclasses import dataclass
from typing import Any

from incidentio.core.steps import Block, Leaf, Manual, Step, Wait
from infra.compiler.limits import CONTROL_SECONDS, Polls, confirmations, idling
from infra.compiler.states import (
    ANSWER,
    BUSY,
    UNCLEAR,
    State,
    action,
    again,
    again_when_over,
    choose,
    control,
    expression,
    over,
    pause,
    side_by_side,
)


@dataclass(frozen=True)
class _Lane:
    """Where a step leads when it does not go on. `suffix`: no two branches may use one variable."""

    stop: str = "Stop"
    caught: str = "Stop"
    unclear: str = "Unclear"
    suffix: str = ""
    may_refuse: bool = False

    def var(self, name: str) -> str:
        return f"{name}{self.suffix}"

    def read(self, name: str) -> str:
        return expression(f"${self.var(name)}")


def begin_of(block: Block) -> str:
    """The first state of a block."""
    return f"Step{block.n}Begin" if isinstance(block, Leaf) else f"Parallel{block[0][0].n}"


class Forms:
    """How each kind of step is compiled, for one playbook's functions."""

    def __init__(self, control_arn: str, action_arn: str, *, action_wait: int, pace: float) -> None:
        self._control, self._action = control_arn, action_arn
        self._action_wait, self._pace = action_wait, pace

    def block(self, block: Block, after: str) -> dict[str, State]:
        if isinstance(block, Leaf):
            return self._leaf(block, after, _Lane(may_refuse=block.n == 1))
        name = begin_of(block)
        numbers = [leaf.n for branch in block for leaf in branch]
        return {
            name: side_by_side(
                [self._branch(branch) for branch in block],
                then=f"{name}Join",
                # What other branches do when one dies uncaught is not known, so they are waited for.
                caught="Unclear",
            ),
            f"{name}Join": self._ask("join", _Lane(), then=f"{name}Joined", steps=numbers),
            f"{name}Joined": choose({"go": after}, otherwise="Stop"),
        }

    def _branch(self, leaves: tuple[Leaf, ...]) -> dict[str, State]:
        name = f"Branch{leaves[0].n}"
        lane = _Lane(f"{name}End", f"{name}Halt", f"{name}Unclear", suffix=f"_{leaves[0].n}")
        states: dict[str, State] = {}
        for leaf, after in zip(leaves, [*(f"Step{n.n}Begin" for n in leaves[1:]), lane.stop], strict=True):
            states |= self._leaf(leaf, after, lane)
        if any(isinstance(leaf.step, Step) for leaf in leaves):
            states[lane.unclear] = pause(self._action_wait, then=lane.caught)
        halt = control(
            self._control,
            "halt",
            then=lane.stop,
            caught=lane.stop,
            timeout=CONTROL_SECONDS,
            decision_in=lane.var("decision"),
            error_in=lane.var("halting"),
            error=lane.read("error"),
        )
        return states | {lane.caught: halt, lane.stop: over()}

    def _leaf(self, leaf: Leaf, after: str, lane: _Lane) -> dict[str, State]:
        match leaf.step:
            case Step():
                return self._begin(leaf, f"Step{leaf.n}Snapshot", after, lane) | self._act(leaf, leaf.step, after, lane)
            case Manual():
                asked = f"Step{leaf.n}Manual"
                return self._begin(leaf, asked, after, lane) | self._by_a_person(leaf, leaf.step, after, lane)
            case Wait():
                return self._begin(leaf, f"Step{leaf.n}Pause", after, lane) | self._idle(leaf, leaf.step, after, lane)

    def _begin(self, leaf: Leaf, first: str, after: str, lane: _Lane) -> dict[str, State]:
        skip = {"skip": after} if leaf.may_be_skipped else {}
        return {
            f"Step{leaf.n}Begin": self._ask(
                "begin",
                lane,
                then=f"Step{leaf.n}Begun",
                step=leaf.n,
                assign={lane.var("call"): expression(f"{ANSWER}.call"), lane.var("poll"): 0},
            ),
            f"Step{leaf.n}Begun": self._choose({"go": first, **skip}, lane),
        }

    def _act(self, leaf: Leaf, step: Step, after: str, lane: _Lane) -> dict[str, State]:
        n, confirm = leaf.n, confirmations(step, pace=self._pace)
        soon = [again(*BUSY, *UNCLEAR, attempts=step.retries)]
        refuse = {"refuse": "Refused"} if lane.may_refuse else {}
        return {
            f"Step{n}Snapshot": self._call(leaf, step, "snapshot", lane, keep="seen", then=f"Step{n}Keep", retry=soon),
            f"Step{n}Keep": self._ask(
                "keep",
                lane,
                then=f"Step{n}Kept",
                step=n,
                seen=lane.read("seen"),
                assign={lane.var("snapshot"): expression(f"{ANSWER}.snapshot")},
            ),
            f"Step{n}Kept": self._choose({"go": f"Step{n}Apply", **refuse}, lane),
            f"Step{n}Apply": self._call(
                leaf,
                step,
                "apply",
                lane,
                keep="applied",
                then=f"Step{n}Confirm",
                unclear=lane.unclear,
                retry=[
                    again(*BUSY, attempts=step.retries),
                    again_when_over(*UNCLEAR, attempts=2, seconds=self._action_wait),
                ],
            ),
            f"Step{n}Confirm": self._call(
                leaf,
                step,
                "verify",
                lane,
                keep="confirmed",
                then=f"Step{n}Record",
                retry=soon,
                also={lane.var("poll"): expression(f"${lane.var('poll')} + 1")},
            ),
            f"Step{n}Record": self._ask(
                "record",
                lane,
                then=f"Step{n}Recorded",
                step=n,
                applied=lane.read("applied"),
                confirmed=lane.read("confirmed"),
                last=expression(f"${lane.var('poll')} >= {confirm.count}"),
            ),
            f"Step{n}Recorded": self._choose({"go": after, "again": f"Step{n}Pause"}, lane),
            f"Step{n}Pause": pause(confirm.seconds, then=f"Step{n}Confirm"),
        }

    def _by_a_person(self, leaf: Leaf, step: Manual, after: str, lane: _Lane) -> dict[str, State]:
        n = leaf.n
        return {
            f"Step{n}Manual": control(
                self._control,
                "manual",
                then=f"Step{n}Answer",
                caught=lane.caught,
                unanswered=f"Step{n}Answer",
                timeout=int(step.timeout.total_seconds()),
                token=True,
                error_in=lane.var("error"),
                step=n,
                seconds=int(step.timeout.total_seconds()),
            ),
            f"Step{n}Answer": self._ask("answered", lane, then=f"Step{n}Answered", step=n),
            f"Step{n}Answered": self._choose({"go": after}, lane),
        }

    def _idle(self, leaf: Leaf, step: Wait, after: str, lane: _Lane) -> dict[str, State]:
        n, idle = leaf.n, idling(step, pace=self._pace)
        return {
            f"Step{n}Pause": pause(idle.seconds, then=f"Step{n}Idle"),
            f"Step{n}Idle": self._ask(
                "idle",
                lane,
                then=f"Step{n}Idled",
                step=n,
                last=_counted(lane, idle),
                assign={lane.var("poll"): expression(f"${lane.var('poll')} + 1")},
            ),
            f"Step{n}Idled": self._choose({"go": after, "again": f"Step{n}Pause"}, lane),
        }

    def _call(
        self,
        leaf: Leaf,
        step: Step,
        op: str,
        lane: _Lane,
        *,
        keep: str,
        then: str,
        also: dict[str, str] | None = None,
        retry: list[dict[str, Any]],
        **more: Any,
    ) -> State:
        return action(
            self._action,
            op,
            step=leaf.n,
            name=step.action,
            call=lane.var("call"),
            snapshot=None if op == "snapshot" else lane.read("snapshot"),
            then=then,
            caught=lane.caught,
            timeout=self._action_wait,
            assign={lane.var(keep): expression(ANSWER), **(also or {})},
            retry=retry,
            error_in=lane.var("error"),
            **more,
        )

    def _ask(self, op: str, lane: _Lane, *, then: str, assign: dict[str, Any] | None = None, **payload: Any) -> State:
        return control(
            self._control,
            op,
            then=then,
            caught=lane.caught,
            timeout=CONTROL_SECONDS,
            assign=assign,
            decision_in=lane.var("decision"),
            error_in=lane.var("error"),
            **payload,
        )

    def _choose(self, branches: dict[str, str], lane: _Lane) -> State:
        return choose(branches, otherwise=lane.stop, decision_in=lane.var("decision"))


def _counted(lane: _Lane, polls: Polls) -> str:
    return expression(f"${lane.var('poll')} + 1 >= {polls.count}")
