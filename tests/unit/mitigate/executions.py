"""Step Functions in memory: executions of the machines that playbooks are compiled into."""

from collections.abc import Callable, Mapping
from typing import Any

from incidentio.core.errors import NotFound
from tests.unit.mitigate.interpreter import Interpreter, Killed


class FakeExecutions:
    """`start` only queues; `work` runs what is queued to its end, and tells `failed` of what ended otherwise."""

    def __init__(self, machine: Callable[[str], Interpreter], failed: Callable[[str], None]) -> None:
        self.machine = machine
        self._failed = failed
        self.statuses: dict[str, str] = {}
        self.queue: list[tuple[str, str, Mapping[str, Any]]] = []
        self.answered: set[str] = set()
        self.results: dict[str, Any] = {}
        self.visited: dict[str, list[str]] = {}
        self.missing: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.statuses

    def start(self, playbook: str, name: str, given: Mapping[str, Any]) -> bool:
        if playbook in self.missing:
            raise NotFound(f"there is no state machine for {playbook}")
        if name in self.statuses:
            return False
        self.statuses[name] = "RUNNING"
        self.queue.append((playbook, name, given))
        return True

    def status(self, playbook: str, name: str) -> str | None:
        return self.statuses.get(name)

    def answer(self, token: str, output: Mapping[str, Any]) -> bool:
        self.answered.add(token)
        return True

    def work(self) -> None:
        while self.queue:
            playbook, name, given = self.queue.pop(0)
            machine = self.machine(playbook)
            try:
                self.statuses[name], self.results[name] = machine.run(name, given)
            except Killed:
                self.statuses[name] = "ABORTED"
            self.visited[name] = machine.visited
            if self.statuses[name] != "SUCCEEDED":
                self._failed(name)
