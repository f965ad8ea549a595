"""A playbook as a Mermaid diagram: what happens around its steps, or every state of its machine."""

from collections.abc import Iterator, Mapping
from typing import Any

from incidentio.core.duration import format_duration
from incidentio.core.playbook import Playbook, Risk
from incidentio.mitigate.actions import action_named

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
    for number, step in enumerate(playbook.steps, start=1):
        yield f'step{number}["{number}. {_plain(step.action)}"]'
        yield f"{at} --> step{number}"
        at = f"step{number}"
        acting.append(at)
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


def states(machine: Mapping[str, Any]) -> str:
    """Every state of a compiled machine and every way between them; dotted where an error leads."""
    lines = ["flowchart TD", f"  start([start]) --> {machine['StartAt']}"]
    for name, state in machine["States"].items():
        shape = f'{name}(["{name}"])' if state["Type"] in _ENDS else f'{name}["{name}"]'
        lines.append(f"  {shape}")
        lines += [f"  {name} --> {to}" for to in dict.fromkeys(_next(state))]
        lines += [f"  {name} -.-> {to}" for to in dict.fromkeys(catch["Next"] for catch in state.get("Catch", ()))]
    return "\n".join(lines)


def _next(state: Mapping[str, Any]) -> Iterator[str]:
    yield from (choice["Next"] for choice in state.get("Choices", ()))
    yield from (state[key] for key in ("Default", "Next") if key in state)


def _plain(text: str) -> str:
    return text.replace('"', "'")
