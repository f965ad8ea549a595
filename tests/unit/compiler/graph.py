"""A compiled machine as a graph, for assertions over all of its paths."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Graph:
    machine: dict[str, Any]

    @property
    def states(self) -> dict[str, dict[str, Any]]:
        return self.machine["States"]

    @property
    def start(self) -> str:
        return self.machine["StartAt"]

    def next_of(self, name: str) -> Iterator[str]:
        state = self.states[name]
        if "Next" in state:
            yield state["Next"]
        if "Default" in state:
            yield state["Default"]
        for branch in (*state.get("Choices", ()), *state.get("Catch", ())):
            yield branch["Next"]

    def reachable(self, start: str, *, without: set[str] = frozenset()) -> set[str]:
        """Every state some path from `start` enters, `start` too, never entering one of `without`."""
        found: set[str] = set()
        frontier = [start] if start not in without else []
        while frontier:
            name = frontier.pop()
            if name not in found:
                found.add(name)
                frontier += [n for n in self.next_of(name) if n not in without]
        return found

    def of_type(self, type: str) -> dict[str, dict[str, Any]]:
        return {name: state for name, state in self.states.items() if state["Type"] == type}

    def calling(self, arn: str, *ops: str) -> set[str]:
        """Tasks that call the function `arn` with one of `ops` (any without)."""
        return {
            name
            for name, task in self.of_type("Task").items()
            if task["Arguments"]["FunctionName"] == arn and (not ops or task["Arguments"]["Payload"]["op"] in ops)
        }
