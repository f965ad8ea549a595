"""A playbook as a Mermaid diagram: what happens around its steps, or every state of its machine."""

from collections.abc import Iterator, Mapping
from typing import Any

from incidentio.core.duration import format_duration
from incidentio.core.playbook import Playbook
from incidentio.core.risk import Risk
from incidentio.core.steps import Leaf, Manual, Step, Wait
from incidentio.mitigate.actions import action_named
from infra.compiler.graph import Graph

_ENDS = {"Succeed", "Fail"}


def overview(playbook: Playbook) -> str:
    """The way of a run, for people."""
    return "\n".join(("flowchart TD", *(f"  {line}" for line in _overview(playbook))))


def _overview(playbook: Playbook) -> Iterator[str]:
    yield 'gate{"may it run?"}'
    at, refused = "gate", ["gate"]
    if people := playbook.risk.approvals:
        asked = "one person approves" if people == 1 else f"{people} people approve"
        yield f'approval["{asked} within {format_duration(playbook.approval.timeout)}"]'
        yield "gate --> approval"
        yield 'again{"may it still run?"}'
        yield "approval --> again"
        at, refused = "again", ["gate", "again"]
    if playbook.risk is not Risk.READ_ONLY:
        yield 'lock["lock the target"]'
        yield f"{at} --> lock"
        at = "lock"
        refused.append("lock")
    acting: list[str] = []
    ends = [at]
    for block in playbook.blocks:
        branches = ((block,),) if isinstance(block, Leaf) else block
        after = []
        for branch in branches:
            before = " & ".join(ends)
            for leaf in branch:
                name = f"step{leaf.n}"
                yield f'{name}["{leaf.n}. {_plain(_said(leaf))}"]'
                yield f"{before} --> {name}"
                before = name
                acting.append(name)
            after.append(before)
        ends = after
    at = " & ".join(ends)
    if playbook.verify:
        yield f'watch{{"alarms OK within {format_duration(playbook.verify.within)}?"}}'
        yield f"{at} --> watch"
        at = "watch"
        acting.append(at)
    if playbook.revert:
        yield f'loan["borrowed until resolved, at most {format_duration(playbook.revert.at_latest)}"]'
        yield f"{at} --> loan"
        yield 'back(["given back"])'
        yield "loan --> back"
    else:
        yield f'done(["{"told on the timeline" if playbook.risk is Risk.READ_ONLY else "done, and it stays"}"])'
        yield f"{at} --> done"
    yield 'refused(["refused, nothing changed"])'
    yield f"{' & '.join(refused)} -- no --> refused"
    if playbook.risk is Risk.READ_ONLY:
        return
    stays = any(action_named(step.action).one_way for step in playbook.steps)
    yield f'undo["undo in reverse{", what can be undone" if stays else ""}, page people"]'
    yield f"{' & '.join(acting)} -- no --> undo"


def _said(leaf: Leaf) -> str:
    """A step in a few words."""
    match leaf.step:
        case Step():
            what = leaf.step.action
        case Manual():
            what = f"by hand: {leaf.step.manual}"
        case Wait():
            what = f"wait {format_duration(leaf.step.wait)}"
    return f"{what}, if {' and '.join(map(str, leaf.step.if_))}" if leaf.step.if_ else what


def states(machine: Mapping[str, Any]) -> str:
    """Every state of a compiled machine and every way between them; dotted where an error leads."""
    graph = Graph(machine)
    lines = ["flowchart TD", f"  start([start]) --> {graph.start}"]
    for name, state in graph.states.items():
        shape = f'{name}(["{name}"])' if state["Type"] in _ENDS else f'{name}["{name}"]'
        lines.append(f"  {shape}")
        lines += [f"  {name} --> {to}" for to in dict.fromkeys(graph.ways_of(name))]
        lines += [f"  {name} -.-> {to}" for to in dict.fromkeys(graph.caught_of(name))]
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace('"', "'")
