"""The half of every machine that gives back what was changed, in reverse: after a failure, at the end of a loan,
and in place of an execution that died. Nothing an author writes, and no flag, stands in its way."""

from functools import partial

from infra.compiler.limits import CONTROL_SECONDS, HIGHEST_STEP, paced
from infra.compiler.states import (
    ANSWER,
    CAUGHT,
    EXECUTION,
    MODE,
    State,
    action,
    again,
    choose,
    control,
    expression,
    fail,
    outcome,
    pause,
)


def undo_states(control_arn: str, action_arn: str, *, action_wait: int, pace: float) -> dict[str, State]:
    """`Stop` (of a run under way) and `Resume` (of any other) lead into it.

    Its control tasks are tried harder than those on the way forward, and left to the recovery rule when
    even that fails.

    Args:
        action_wait: seconds after which no call of the action function runs any more.
        pace: scales the waits for that.
    """
    must = partial(control, control_arn, caught="Broken", timeout=CONTROL_SECONDS, attempts=8)
    quiet = paced(action_wait, pace=pace)
    from_the_end = {"below": HIGHEST_STEP}
    return {
        # A change that may still be under way must not overtake its own undo.
        "Unclear": pause(quiet, then="Stop"),
        "Stop": must(
            "stop",
            then="Stopped",
            error=expression("$error"),
            assign={**from_the_end, "outcome": expression(f"{ANSWER}.outcome")},
        ),
        "Stopped": choose({"undo": "UndoNext"}, otherwise="Ended"),
        "Resume": must("resume", then="Resumed", mode=expression(MODE), execution=EXECUTION, assign=from_the_end),
        "Resumed": choose({"undo": "UndoNext", "wait": "Quiet"}, otherwise="Ended"),
        "Quiet": pause(quiet, then="UndoNext"),
        "UndoNext": must(
            "undo",
            then="UndoMore",
            below=expression("$below"),
            assign={"undo": expression(f"{ANSWER}.undo")},
        ),
        "UndoMore": choose({"undo": "Undo"}, otherwise="Finish"),
        "Undo": action(
            action_arn,
            "rollback",
            step=expression("$undo.step"),
            name=expression("$undo.action"),
            call="undo",
            snapshot=expression("$undo.snapshot"),
            then="UndoRecord",
            caught="UndoRecord",
            timeout=action_wait,
            assign={"undone": expression(ANSWER)},
            keep_caught={"undone": {"result": "failed", "summary": CAUGHT}},
            # Comparing before setting makes a second try harmless, whatever became of the first.
            retry=[again("States.ALL", attempts=8)],
        ),
        "UndoRecord": must(
            "undone",
            then="UndoNext",
            step=expression("$undo.step"),
            undone=expression("$undone"),
            assign={"below": expression("$undo.step")},
        ),
        "Finish": must(
            "finish",
            then="Finished",
            assign={"cause": expression(f"{ANSWER}.cause"), "outcome": expression(f"{ANSWER}.outcome")},
        ),
        "Finished": choose({"end": "Ended"}, otherwise="RolledBack"),
        "Ended": outcome(expression("$outcome")),
        "Done": {"Type": "Succeed"},
        "RolledBack": fail("RolledBack", expression("$cause")),
        "Broken": fail("Broken", "the envelope itself failed; the recovery rule starts this machine in mode recover"),
    }
