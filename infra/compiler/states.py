"""Amazon States Language states (JSONata) in the few forms the envelope is made of.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

State = dict[str, Any]

RUN_ID = "{% $states.context.Execution.Input.run_id %}"
INCIDENT_ID = "{% $states.context.Execution.Input.incident_id %}"
EXECUTION = "{% $states.context.Execution.Name %}"
MODE = "$states.context.Execution.Input.mode"
REDRIVEN = "{% $exists($states.context.Execution.RedriveCount) and $states.context.Execution.RedriveCount > 0 %}"
"""Whether somebody had the execution go on after it had ended ("Redrive"): what it knows is then of another time.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
"""
FIRST = "{% $states.context.State.RetryCount = 0 %}"
"""Whether a task is tried for the first time. Same source."""
TASK_TOKEN = "{% $states.context.Task.Token %}"  # noqa: S105 - an expression, not a secret
ANSWER = "$states.result.Payload"
CAUGHT = "{% $states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 500) %}"

BUSY = ("Lambda.TooManyRequestsException", "Unavailable")
"""It did not begin, or ended by saying that another try may help."""

UNCLEAR = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
)
"""Nobody knows whether the function runs, ran, or still will."""


def expression(jsonata: str) -> str:
    return f"{{% {jsonata} %}}"


def control(
    arn: str,
    op: str,
    *,
    then: str,
    caught: str,
    timeout: int,
    assign: Mapping[str, Any] | None = None,
    attempts: int = 4,
    token: bool = False,
    unanswered: str | None = None,
    decision_in: str = "decision",
    error_in: str = "error",
    **payload: Any,
) -> State:
    """A call of the control function. Its answer's `decision` is always kept, in the variable `decision_in`.

    `token` makes it wait for a person until `timeout`; `unanswered` is then the state after that.
    """
    state = _invoke(
        arn,
        {
            "op": op,
            "run_id": RUN_ID,
            "incident_id": INCIDENT_ID,
            **({"token": TASK_TOKEN} if token else {}),
            **payload,
        },
        timeout=timeout,
        retry=[again(*BUSY, *UNCLEAR, attempts=attempts)],
        token=token,
    )
    if unanswered:
        state["Catch"] = [{"ErrorEquals": ["States.Timeout"], "Output": {}, "Next": unanswered}]
    state.setdefault("Catch", []).append(_catch(caught, {error_in: CAUGHT}))
    if not token:
        state["Assign"] = {decision_in: expression(f"{ANSWER}.decision"), **(assign or {})}
    return {**state, "Next": then}


def action(
    arn: str,
    op: str,
    *,
    step: Any,
    name: str,
    call: str,
    snapshot: Any,
    then: str,
    caught: str,
    timeout: int,
    assign: Mapping[str, Any],
    keep_caught: Mapping[str, Any] | None = None,
    retry: Sequence[Mapping[str, Any]] = (),
    unclear: str | None = None,
    error_in: str = "error",
) -> State:
    """A call of the playbook's own action function; `call` is the variable that holds `with` and `target`.

    `unclear` is the state after an error that leaves open whether the function still runs.
    """
    state = _invoke(
        arn,
        {
            "op": op,
            "run_id": RUN_ID,
            "step": step,
            "action": name,
            "with": expression(f"${call}.with"),
            "target": expression(f"${call}.target"),
            "snapshot": snapshot,
            **({"redriven": REDRIVEN, "first": FIRST} if op == "apply" else {}),
            # What gives back asks nobody.
            **({} if op == "rollback" else {"only_allowed": expression(f"${call}.only_allowed")}),
        },
        timeout=timeout,
        retry=retry or [again(*BUSY, *UNCLEAR, attempts=4)],
        token=False,
    )
    catches = [_catch(unclear, {error_in: CAUGHT}, errors=UNCLEAR)] if unclear else []
    return {
        **state,
        "Catch": [*catches, _catch(caught, keep_caught or {error_in: CAUGHT})],
        "Assign": dict(assign),
        "Next": then,
    }


def choose(branches: Mapping[str, str], *, otherwise: str, decision_in: str = "decision") -> State:
    """Branch on the decision kept in that variable: decision → next state."""
    rules = [{"Condition": expression(f"${decision_in} = '{word}'"), "Next": to} for word, to in branches.items()]
    return {"Type": "Choice", "Choices": rules, "Default": otherwise}


def side_by_side(branches: Sequence[Mapping[str, State]], *, then: str, caught: str) -> State:
    """Branches at the same time, each starting with its first state. What comes of them is asked of control."""
    return {
        "Type": "Parallel",
        "Branches": [{"StartAt": next(iter(branch)), "States": dict(branch)} for branch in branches],
        "Output": {},
        "Catch": [_catch(caught)],
        "Next": then,
    }


def over() -> State:
    """The end of a branch."""
    return {"Type": "Pass", "Output": {}, "End": True}


def pause(seconds: int, *, then: str) -> State:
    return {"Type": "Wait", "Seconds": seconds, "Output": {}, "Next": then}


def outcome(word: str) -> State:
    """What the execution's output says (a word or an expression); the Succeed state comes after."""
    return {"Type": "Pass", "Output": {"outcome": word, "run_id": RUN_ID}, "Next": "Done"}


def fail(error: str, cause: str) -> State:
    return {"Type": "Fail", "Error": error, "Cause": cause}


def again(*errors: str, attempts: int) -> dict[str, Any]:
    """Try again soon, less and less often."""
    return {
        "ErrorEquals": list(errors),
        "IntervalSeconds": 1,
        "BackoffRate": 2,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": 20,
        "JitterStrategy": "FULL",
    }


def again_when_over(*errors: str, attempts: int, seconds: int) -> dict[str, Any]:
    """Try again once the function can no longer be at it: two at a time could overtake each other."""
    return {"ErrorEquals": list(errors), "IntervalSeconds": seconds, "BackoffRate": 1, "MaxAttempts": attempts}


def _invoke(
    arn: str, payload: Mapping[str, Any], *, timeout: int, retry: Sequence[Mapping[str, Any]], token: bool
) -> State:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke" + (".waitForTaskToken" if token else ""),
        "Arguments": {"FunctionName": arn, "Payload": dict(payload)},
        "TimeoutSeconds": timeout,
        "Retry": [dict(retrier) for retrier in retry],
        "Output": {},
    }


def _catch(to: str, assign: Mapping[str, Any] | None = None, *, errors: Sequence[str] = ("States.ALL",)) -> State:
    return {
        "ErrorEquals": list(errors),
        "Assign": dict(assign or {"error": CAUGHT}),
        "Output": {},
        "Next": to,
    }
