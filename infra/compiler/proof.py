"""What must hold for every path of every machine, whatever its playbook says: read off the machine alone.

The compiler builds the envelope; this looks at what it built and knows neither its code nor the names of its states,
only which function a task calls, with which operation, and which answer leads where. A machine with a flaw is not
deployed (`compile_playbook`).

A `read_only` playbook passes the lock like any other: what the lock does for it is `control`'s affair (it counts the
run and claims no target).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from incidentio.core.playbook import Playbook
from incidentio.core.steps import Leaf, Manual, Step, Wait
from infra.compiler.graph import Edge, Graph

ACTING = ("snapshot", "apply", "verify")
UNDO_HALF = ("stop", "resume", "undo", "undone", "finish")
_LOOP_BOUNDS = frozenset({"last", "below", "after"})
_DECISION = "{% $states.result.Payload.decision %}"
_RULE = re.compile(r"\{% \$(\w+) = '(\w+)' %\}")
_OTHERWISE = "otherwise"
_REDRIVEN = "{% $exists($states.context.Execution.RedriveCount) and $states.context.Execution.RedriveCount > 0 %}"
_RUNS = "{% $states.context.Execution.Input.mode = 'run' %}"


def flaws(machine: Mapping[str, Any], playbook: Playbook, *, control_arn: str, action_arn: str) -> list[str]:
    """Every statement that does not hold, as a sentence; none: the machine keeps the whole envelope."""
    graph = Graph(machine)
    dangling = [
        f"{name} leads to {to}, which does not exist"
        for name in graph.states
        for to in graph.next_of(name)
        if to not in graph.states
    ]
    return dangling or list(dict.fromkeys(_Proof(graph, playbook, control_arn, action_arn).all()))


class _Proof:
    def __init__(self, graph: Graph, playbook: Playbook, control_arn: str, action_arn: str) -> None:
        self._graph, self._playbook = graph, playbook
        self._control, self._action = control_arn, action_arn
        self._acting = graph.calling(action_arn, *ACTING) | graph.calling(control_arn, "manual")
        self._undoing = self._ops(*UNDO_HALF)
        self._settle = self._ops("settle")

    def all(self) -> Iterator[str]:
        yield from self._reached()
        yield from self._bounded()
        yield from self._gated()
        yield from self._stepwise()
        yield from self._ended()
        yield from self._asked_to_run()
        yield from self._caught()
        yield from self._undone()
        yield from self._planned()

    def _ops(self, *ops: str, **payload: Any) -> set[str]:
        found = self._graph.calling(self._control, *ops)
        return {name for name in found if self._graph.payload(name).items() >= payload.items()}

    def _reached(self) -> Iterator[str]:
        for name in sorted(set(self._graph.states) - self._graph.reachable(self._graph.start)):
            yield f"no path reaches {name}"

    def _bounded(self) -> Iterator[str]:
        graph = self._graph
        if "TimeoutSeconds" in graph.machine:
            yield "the execution has a timeout: it would end without an undo"
        for name, task in graph.of_type("Task").items():
            if not _at_least_one(task.get("TimeoutSeconds")):
                yield f"{name} has no timeout"
        for name, wait in graph.of_type("Wait").items():
            if not _at_least_one(wait.get("Seconds")):
                yield f"{name} waits without an end"
        counting = {name for name in graph.of_type("Task") if _LOOP_BOUNDS & graph.payload(name).keys()}
        for name in sorted(graph.circles(without=counting)):
            yield f"{name} is on the way to a loop that nothing counts"

    def _gated(self) -> Iterator[str]:
        """Both gates, the approval where the risk asks for it, and the lock, in this order, before anything acts."""
        pinned = {"definition": self._playbook.definition_hash}
        first, second, lock = (
            self._ops("gate", stage="requested", **pinned),
            self._ops("gate", stage="approved", **pinned),
            self._ops("lock"),
        )
        for tasks, what in ((first, "first gate"), (second, "second gate"), (lock, "lock")):
            yield from self._only_after_go(tasks, self._acting, what)
        yield from self._only_after_go(first, second, "first gate")
        yield from self._only_after_go(second, lock, "second gate")
        if self._playbook.risk.approvals:
            asks = {n for n in self._ops("ask") if str(self._graph.states[n]["Resource"]).endswith(".waitForTaskToken")}
            for name in sorted(self._graph.reachable(self._graph.start, without=asks) & (self._acting | second)):
                yield f"{name} is reached without the approval"
            yield from self._only_after_go(first, asks, "first gate")

    def _stepwise(self) -> Iterator[str]:
        """Each step begins after the one before, and counts when control says that it is done."""
        before: set[str] = set()
        for block in self._playbook.blocks:
            if isinstance(block, Leaf):
                yield from self._one_step(block, set())
                begin = self._ops("begin", step=block.n)
            else:
                numbers = [leaf.n for branch in block for leaf in branch]
                join = self._ops("join", steps=numbers)
                begin = self._around(numbers)
                if len(join) != 1 or len(begin) != 1:
                    yield f"steps {numbers} do not start in one place, or are not joined in one"
                    continue
                for branch in block:
                    for leaf, previous in zip(branch, (None, *branch), strict=False):
                        yield from self._one_step(leaf, join)
                        if previous:
                            last = self._ops("begin", step=previous.n)
                            yield from self._only_after(last, self._ops("begin", step=leaf.n), f"step {previous.n}")
            yield from self._only_after(begin, self._settle, f"{' and '.join(sorted(begin))}")
            if before:
                yield from self._only_after(before, begin, f"{' and '.join(sorted(before))}")
            before = begin

    def _one_step(self, leaf: Leaf, join: set[str]) -> Iterator[str]:
        """`join` is the task that asks whether all of its neighbours are done, for a step in a branch."""
        n = leaf.n
        begin = self._ops("begin", step=n)
        tasks: tuple[set[str], ...]
        match leaf.step:
            case Step():
                keep, done = self._ops("keep", step=n), self._ops("record", step=n)
                snapshot, apply, verify = (self._acts(op, n) for op in ACTING)
                tasks = (begin, keep, done, snapshot, apply, verify)
            case Manual():
                apply, done = self._ops("manual", step=n), self._ops("answered", step=n)
                tasks = (begin, apply, done)
            case Wait():
                apply = done = self._ops("idle", step=n)
                tasks = (begin, done)
        if not all(len(found) == 1 for found in tasks):
            yield f"step {n} is not begun, looked at, kept, applied, confirmed and recorded once each"
            return
        if isinstance(leaf.step, Step):
            yield from self._only_after_go(begin, snapshot, f"begin of step {n}")
            yield from self._only_after(snapshot, keep, f"the look of step {n}")
            yield from self._only_after_go(keep, apply, f"keep of step {n}")
            yield from self._only_after(apply, verify, f"the apply of step {n}")
        else:
            yield from self._only_after_go(begin, apply, f"begin of step {n}")
        yield from self._only_after_go(done | join, self._settle, f"record of step {n}", start=apply)
        if join:
            yield from self._only_after_go(join, self._settle, f"join of step {n}")

    def _around(self, numbers: list[int]) -> set[str]:
        """The Parallel state whose branches hold these steps and no others."""
        return {
            name
            for name, state in self._graph.of_type("Parallel").items()
            if sorted(self._began(state)) == sorted(numbers)
        }

    def _began(self, parallel: Mapping[str, Any]) -> Iterator[int]:
        for branch in parallel["Branches"]:
            for name in branch["States"]:
                if name in self._ops("begin"):
                    yield self._graph.payload(name)["step"]

    def _acts(self, op: str, n: int) -> set[str]:
        return {name for name in self._graph.calling(self._action, op) if self._graph.payload(name)["step"] == n}

    def _ended(self) -> Iterator[str]:
        """What acted ends settled or undone; settled after the watch, where there is one."""
        graph = self._graph
        for name in sorted(graph.calling(self._action, "apply") | self._ops("manual")):
            for end in sorted(graph.reachable(name, without=self._undoing | self._settle) & graph.green):
                yield f"{name} leads to {end} with nothing settled or undone"
        if not self._settle:
            yield "nothing settles"
        if self._playbook.verify:
            yield from self._only_after_go(self._ops("watch"), self._settle, "watch")

    def _asked_to_run(self) -> Iterator[str]:
        """Only an execution in mode `run` may act or plan; any other, whatever its input says, only undoes.

        Nor does one that had ended and was told to go on: the function refuses what it is told of that.
        """
        graph = self._graph
        start = graph.states[graph.start]
        others = {rule["Next"] for rule in start.get("Choices", ()) if rule["Condition"] != _RUNS}
        forward = self._acting | self._settle | self._ops("gate", "ask", "lock", "plan")
        for other in sorted(others | {start.get("Default", graph.start)}):
            for name in sorted(graph.reachable(other) & forward):
                yield f"{name} is reached by an execution that is not asked to run"
        for name in sorted(graph.calling(self._action, "apply")):
            if graph.payload(name).get("redriven") != _REDRIVEN:
                yield f"{name} may act in an execution that was redriven"

    def _caught(self) -> Iterator[str]:
        """Whatever goes wrong is caught, and leads to the undo or a failed execution, past nothing else that acts.

        In a branch it leads to the join, which goes on only where control says that every step is done.
        """
        graph = self._graph
        joined = {edge for name in self._ops("join") if (edge := self._answers(name).get("go"))}
        failing = set(graph.of_type("Fail"))
        for name, state in graph.of_type("Task", "Parallel").items():
            catches = state.get("Catch", ())
            if not catches or catches[-1]["ErrorEquals"] != ["States.ALL"]:
                yield f"{name} does not catch everything"
            for catch in catches:
                to = catch["Next"]
                if catch["ErrorEquals"] == ["States.Timeout"] and to in self._answering(name):
                    continue
                on = graph.reachable(to, without=self._undoing, without_edges=joined)
                for wrong in sorted(on & (graph.green | self._settle | self._acting)):
                    yield f"an error of {name} leads to {wrong}"
                if not graph.reachable(to) & (self._undoing | failing):
                    yield f"an error of {name} leads neither to the undo nor to a failed execution"

    def _answering(self, asking: str) -> set[str]:
        """Where it may lead that nobody answered in time: to who judges that."""
        if asking in self._ops("ask"):
            return self._ops("ask") | self._ops("gate", stage="approved")
        if asking in self._ops("manual"):
            return self._ops("answered", step=self._graph.payload(asking)["step"])
        return set()

    def _undone(self) -> Iterator[str]:
        """Nothing stands before an undo, all of it is walked, and only `finish` may call it good."""
        graph = self._graph
        stop, resume, undo, undone, finish = (self._ops(op) for op in UNDO_HALF)
        rollback = graph.calling(self._action, "rollback")
        for tasks, what in ((stop, "stop"), (resume, "resume"), (undo, "undo"), (finish, "finish"), (rollback, "undo")):
            if not tasks:
                yield f"there is no {what}"
        inside = {found for name in self._undoing for found in graph.reachable(name)}
        for name in sorted(inside & set(graph.of_type("Task")) - self._undoing - rollback):
            yield f"{name} stands in the way of an undo"
        for name in sorted(rollback):
            if not {str(graph.states[name]["Next"]), *(c["Next"] for c in graph.states[name]["Catch"])} <= undone:
                yield f"what {name} comes to is not recorded"
        for name in sorted(stop | resume):
            # Any other answer says that the run was over before.
            begun = {to for word, (_, to) in self._answers(name).items() if word != _OTHERWISE}
            if not begun or any(graph.reachable(to, without=undo) & graph.green for to in begun):
                yield f"{name} does not lead to the undo"
        over = {self._answers(name).get("end") for name in finish} - {None}
        for name in sorted(undo | undone):
            if graph.reachable(name, without_edges={edge for edge in over if edge}) & graph.green:
                yield f"{name} leads to a good end that finish did not call one"

    def _planned(self) -> Iterator[str]:
        """A dry run only plans, and only a dry run does."""
        graph = self._graph
        first = self._ops("gate", stage="requested")
        planning = graph.calling(self._action, "plan")
        edges = {edge for name in first if (edge := self._answers(name).get("plan"))}
        for name in sorted(graph.reachable(graph.start, without_edges=edges) & planning):
            yield f"{name} is reached without being asked for a dry run"
        for _, to in edges:
            for name in sorted(graph.reachable(to, without=self._undoing) & (self._acting | self._settle)):
                yield f"a dry run reaches {name}"

    def _only_after(self, before: Collection[str], then: Collection[str], what: str) -> Iterator[str]:
        for name in sorted(self._graph.reachable(self._graph.start, without=before) & set(then)):
            yield f"{name} is reached without {what}"

    def _only_after_go(
        self, asking: Collection[str], then: Collection[str], what: str, *, start: Collection[str] = ()
    ) -> Iterator[str]:
        """`then` is reached only where one of `asking` answered `go`."""
        edges = {edge for name in asking if (edge := self._answers(name).get("go"))}
        for begin in start or (self._graph.start,):
            for name in sorted(self._graph.reachable(begin, without_edges=edges) & set(then)):
                yield f"{name} is reached without the {what} saying go"

    def _answers(self, task: str) -> dict[str, Edge]:
        """Word of the answer → the edge it leads along, `otherwise` for any other word.

        Empty where the next state does not read this very answer, or leads the same way with `go` as with others.
        """
        state = self._graph.states[task]
        name = str(state["Next"])
        choice = self._graph.states[name]
        kept = [variable for variable, value in state.get("Assign", {}).items() if value == _DECISION]
        alone = [other for other in self._graph.states if name in self._graph.next_of(other)] == [task]
        if choice["Type"] != "Choice" or len(kept) != 1 or not alone:
            return {}
        found: dict[str, Edge] = {_OTHERWISE: (name, choice["Default"])}
        for rule in choice["Choices"]:
            read = _RULE.fullmatch(rule["Condition"])
            if read is None or read[1] != kept[0]:
                return {}
            found[read[2]] = (name, rule["Next"])
        return found if [*found.values()].count(found.get("go", ("", ""))) <= 1 else {}


def _at_least_one(seconds: Any) -> bool:
    return isinstance(seconds, int) and seconds >= 1
