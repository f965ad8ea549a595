"""A compiled machine as a graph, for statements about all of its paths.

The branches of a Parallel state are part of the graph: it leads into each of them, and the end of each leads to the
state after it. So a path through one branch is a path; that all branches are walked is not in the graph.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

State = Mapping[str, Any]
Edge = tuple[str, str]


@dataclass(frozen=True)
class Graph:
    machine: Mapping[str, Any]

    @cached_property
    def states(self) -> dict[str, State]:
        """Every state by name, those of branches too; names are unique in a machine."""
        return {name: state for name, state, _ in _walk(self.machine, after=None)}

    @cached_property
    def _after_branch(self) -> dict[str, str]:
        return {name: after for name, _, after in _walk(self.machine, after=None) if after is not None}

    @property
    def start(self) -> str:
        return str(self.machine["StartAt"])

    def next_of(self, name: str) -> tuple[str, ...]:
        """Where it may lead, errors too."""
        return self._next[name]

    def caught_of(self, name: str) -> Iterator[str]:
        """Where its errors lead."""
        yield from (catch["Next"] for catch in self.states[name].get("Catch", ()))

    def ways_of(self, name: str) -> tuple[str, ...]:
        """Where it leads when nothing goes wrong."""
        return self._ways[name]

    @cached_property
    def _next(self) -> dict[str, tuple[str, ...]]:
        return {name: (*ways, *self.caught_of(name)) for name, ways in self._ways.items()}

    @cached_property
    def _ways(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(self._led_to(name)) for name in self.states}

    def _led_to(self, name: str) -> Iterator[str]:
        state = self.states[name]
        yield from (choice["Next"] for choice in state.get("Choices", ()))
        if state["Type"] == "Parallel":
            # Only through its branches is its end reached.
            yield from (branch["StartAt"] for branch in state["Branches"])
        elif "Next" in state:
            yield state["Next"]
        if "Default" in state:
            yield state["Default"]
        if self.ends(name) and name in self._after_branch:
            yield self._after_branch[name]

    def ends(self, name: str) -> bool:
        """Whether its branch, or the machine, is over after this state."""
        state = self.states[name]
        return bool(state.get("End")) or state["Type"] == "Succeed"

    @property
    def green(self) -> set[str]:
        """The states after which an execution counts as succeeded."""
        return {name for name in self.states if self.ends(name) and name not in self._after_branch}

    def reachable(
        self, start: str, *, without: Collection[str] = frozenset(), without_edges: Collection[Edge] = frozenset()
    ) -> set[str]:
        """Every state some path from `start` enters, `start` too, never entering one of `without`."""
        found: set[str] = set()
        frontier = [start] if start not in without else []
        while frontier:
            name = frontier.pop()
            if name not in found:
                found.add(name)
                frontier += [n for n in self.next_of(name) if n not in without and (name, n) not in without_edges]
        return found

    def of_type(self, *types: str) -> dict[str, State]:
        return {name: state for name, state in self.states.items() if state["Type"] in types}

    def calling(self, arn: str, *ops: str) -> set[str]:
        """Tasks that call the function `arn` with one of `ops` (any without)."""
        return {
            name
            for name, task in self.of_type("Task").items()
            if task["Arguments"]["FunctionName"] == arn and (not ops or self.payload(name)["op"] in ops)
        }

    def payload(self, task: str) -> Mapping[str, Any]:
        """What the task sends its function."""
        payload: Mapping[str, Any] = self.states[task]["Arguments"]["Payload"]
        return payload

    def circles(self, *, without: Collection[str]) -> set[str]:
        """States from which one can go on for ever without entering one of `without`."""
        left = set(self.states) - set(without)
        while ending := {name for name in left if not left.intersection(self.next_of(name))}:
            left -= ending
        return left


def _walk(machine: Mapping[str, Any], *, after: str | None) -> Iterator[tuple[str, State, str | None]]:
    for name, state in machine["States"].items():
        yield name, state, after
        for branch in state.get("Branches", ()):
            yield from _walk(branch, after=state["Next"])
