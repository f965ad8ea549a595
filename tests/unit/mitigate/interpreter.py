"""Runs a compiled machine on the real control operations and actions, with time that only Wait states move.

It knows the few JSONata forms the compiler writes and refuses any other, so a new form shows up here first.
What the forms mean on a real engine is proved on the local target (tests/e2e).
"""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_PATH = re.compile(r"\$([a-z_0-9]+)((?:\.\w+)*)")


class TaskError(Exception):
    """A task failed with an error name, as a function's exception or a timeout does."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.cause = cause


class Killed(Exception):
    """StopExecution, or a failure no Catch sees."""


class Interpreter:
    """`invoke(arn, payload)` calls a function; `wait(seconds)` passes time; `people(payload, timeout)` waits for an
    answer to a task token; `before(state)` may raise Killed."""

    def __init__(
        self,
        machine: Mapping[str, Any],
        *,
        invoke: Callable[[str, dict[str, Any]], Any],
        wait: Callable[[int], None],
        people: Callable[[dict[str, Any], int], Any],
        before: Callable[[str], None],
    ) -> None:
        self.machine = machine
        self.visited: list[str] = []
        self._invoke, self._wait, self._people, self._before = invoke, wait, people, before
        self._tokens = 0

    def run(self, name: str, given: Mapping[str, Any]) -> tuple[str, Any]:
        """(`SUCCEEDED`, output) or (`FAILED`, error)."""
        self._variables: dict[str, Any] = {}
        self._context = {"Execution": {"Input": dict(given), "Name": name}, "Task": {}}
        return self._walked(self.machine, dict(given))

    def redrive(self, state: str) -> tuple[str, Any]:
        """It goes on with the state it died in, and knows what it knew then."""
        self._context["Execution"]["RedriveCount"] = 1
        return self._walked({**self.machine, "StartAt": state}, {})

    def _walked(self, machine: Mapping[str, Any], data: Any) -> tuple[str, Any]:
        walk = self._walk(machine, data)
        while True:
            try:
                next(walk)
            except StopIteration as over:
                return over.value

    def _walk(self, machine: Mapping[str, Any], data: Any) -> Iterator[None]:
        """One state after the other; between two, another branch may have its turn."""
        current = machine["StartAt"]
        for _ in range(2000):
            yield
            self._before(current)
            self.visited.append(current)
            state = machine["States"][current]
            match state["Type"]:
                case "Succeed":
                    return "SUCCEEDED", data
                case "Fail":
                    return "FAILED", self._filled(state["Error"]) + ": " + self._filled(state["Cause"])
                case "Parallel":
                    yield from self._side_by_side(state)
                    current, data = state["Next"], state["Output"]
                    continue
            if state.get("End"):
                return "SUCCEEDED", state["Output"]
            current, data = self._step(state, data)
        raise AssertionError("the machine does not end")

    def _side_by_side(self, state: Mapping[str, Any]) -> Iterator[None]:
        """Every branch a state at a time, in turn; what a branch assigns, none outside of it may read."""
        known = set(self._variables)
        walks = [self._walk(branch, {}) for branch in state["Branches"]]
        while walks:
            for walk in list(walks):
                yield
                try:
                    next(walk)
                except StopIteration:
                    walks.remove(walk)
        self._variables = {name: value for name, value in self._variables.items() if name in known}

    def _step(self, state: Mapping[str, Any], data: Any) -> tuple[str, Any]:
        match state["Type"]:
            case "Wait":
                self._wait(state["Seconds"])
                return state["Next"], state.get("Output", data)
            case "Pass":
                return state["Next"], self._filled(state["Output"])
            case "Choice":
                for rule in state["Choices"]:
                    if self._filled(rule["Condition"]) is True:
                        self._assign(rule)
                        return rule["Next"], data
                self._assign(state)
                return state["Default"], data
            case "Task":
                return self._task(state)
        raise AssertionError(f"unknown type {state['Type']}")

    def _task(self, state: Mapping[str, Any]) -> tuple[str, Any]:
        try:
            result = self._attempt(state)
            values = {k: self._filled(v, result=result) for k, v in state.get("Assign", {}).items()}
        except TaskError as error:
            return self._caught(state, error)
        self._variables |= values
        return state["Next"], self._filled(state["Output"])

    def _attempt(self, state: Mapping[str, Any]) -> Any:
        left = [retry["MaxAttempts"] for retry in state["Retry"]]
        tries = 0
        while True:
            waits = state["Resource"].endswith(".waitForTaskToken")
            if waits:
                self._tokens += 1
                self._context["Task"] = {"Token": f"{self._context['Execution']['Name']}-token-{self._tokens}"}
            self._context["State"] = {"RetryCount": tries}
            tries += 1
            arguments = self._filled(state["Arguments"])
            payload = json.loads(json.dumps(arguments["Payload"]))
            try:
                answer = self._invoke(arguments["FunctionName"], payload)
                if waits:
                    return self._people(payload, state["TimeoutSeconds"])
                return {"Payload": json.loads(json.dumps(answer))}
            except TaskError as error:
                matching = (
                    i for i, r in enumerate(state["Retry"]) if {error.name, "States.ALL"} & set(r["ErrorEquals"])
                )
                which = next(matching, None)
                if which is None or not left[which]:
                    raise
                left[which] -= 1

    def _caught(self, state: Mapping[str, Any], error: TaskError) -> tuple[str, Any]:
        for catch in state["Catch"]:
            if {error.name, "States.ALL"} & set(catch["ErrorEquals"]):
                told = {"Error": error.name, "Cause": error.cause}
                values = {k: self._filled(v, error=told) for k, v in catch.get("Assign", {}).items()}
                self._variables |= values
                return catch["Next"], catch["Output"]
        raise AssertionError("every task catches everything")

    def _assign(self, where: Mapping[str, Any]) -> None:
        self._variables |= {k: self._filled(v) for k, v in where.get("Assign", {}).items()}

    def _filled(self, value: Any, *, result: Any = None, error: Any = None) -> Any:
        match value:
            case str() if value.startswith("{%"):
                return self._evaluated(value.removeprefix("{%").removesuffix("%}").strip(), result, error)
            case dict():
                return {k: self._filled(v, result=result, error=error) for k, v in value.items()}
            case list():
                return [self._filled(v, result=result, error=error) for v in value]
        return value

    def _evaluated(self, text: str, result: Any, error: Any) -> Any:
        roots = {**self._variables, "states": {"context": self._context, "result": result, "errorOutput": error}}
        if _PATH.fullmatch(text):
            return copy.deepcopy(self._at(text, roots))
        if found := re.fullmatch(r"\$exists\((\S+)\) and (\S+) > 0", text):
            assert found[1] == found[2], text
            return bool(self._at(found[1], roots, missing=0) > 0)
        if found := re.fullmatch(r"(\S+) = ('\w+'|\d+)", text):
            return self._at(found[1], roots, missing=None) == (found[2][1:-1] if "'" in found[2] else int(found[2]))
        if found := re.fullmatch(r"(\S+) \+ 1", text):
            return self._at(found[1], roots) + 1
        if found := re.fullmatch(r"(\S+)( \+ 1)? >= (\d+)", text):
            return self._at(found[1], roots) + (1 if found[2] else 0) >= int(found[3])
        if text == "$states.errorOutput.Error & ': ' & $substring($states.errorOutput.Cause, 0, 500)":
            return f"{error['Error']}: {error['Cause'][:500]}"
        raise AssertionError(f"an expression this interpreter does not know: {text}")

    def _at(self, path: str, roots: Mapping[str, Any], **default: Any) -> Any:
        found = _PATH.fullmatch(path)
        assert found, path
        value: Any = roots
        for name in (found[1], *found[2].split(".")[1:]):
            if not isinstance(value, Mapping) or name not in value:
                if default:
                    return default["missing"]
                raise TaskError("States.QueryEvaluationError", f"{path} is undefined")
            value = value[name]
        return value
