"""What is wrong with a playbook or an opt-in that no single field can tell: found in the raw data, with its place."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from incidentio.core.labels import EVERYWHERE, usual
from incidentio.core.playbook import PARAMETER, Playbook, Risk
from incidentio.mitigate.actions import ACTIONS, action_named, check_step
from infra.located_yaml import Location

Found = tuple[Location, str]


def playbook_mistakes(data: Mapping[str, Any], folder: str) -> Iterator[Found]:
    """Mistakes in `playbook.yaml` found in `folder`."""
    if isinstance(name := data.get("name"), str) and name != folder:
        yield ("name",), f"the folder is called {folder}, so must the playbook be"
    yield from _unknown_references(data)
    try:
        playbook = Playbook.model_validate(data)
    except ValidationError:
        yield from _unknown_actions(data)
        return
    for number, step in enumerate(playbook.steps):
        for at, message in check_step(step, playbook):
            yield ("steps", number, *at), message
    for number, matcher in enumerate(playbook.when):
        if not usual(matcher.label):
            yield (
                ("when", number),
                f"unknown label {matcher.label}: valid are {', '.join(EVERYWHERE)} and dim_<DimensionName>",
            )
    yield from _risk_mistakes(playbook)
    yield from _undo_mistakes(playbook)


def _undo_mistakes(playbook: Playbook) -> Iterator[Found]:
    """Around `undoes_change`, without which the gate does not ask whether the change may be undone."""
    for number, step in enumerate(playbook.steps):
        if step.action in ACTIONS and action_named(step.action).undoes_change and not playbook.undoes_change:
            yield (
                ("steps", number, "action"),
                f"{step.action} undoes a change that somebody made, so the playbook must say undoes_change: true",
            )
    if playbook.undoes_change and playbook.revert:
        yield ("revert",), "must go where undoes_change is true: giving a rollback back would bring the bad change back"
    if playbook.undoes_change and playbook.risk in (Risk.READ_ONLY, Risk.SAFE):
        yield ("risk",), "a playbook that undoes a change needs a person: risk must be disruptive or destructive"


def _risk_mistakes(playbook: Playbook) -> Iterator[Found]:
    known = [(n, action_named(step.action)) for n, step in enumerate(playbook.steps) if step.action in ACTIONS]
    if playbook.risk is Risk.READ_ONLY:
        if changing := next((action for _, action in known if action.changes), None):
            yield ("risk",), f"{changing.name} changes things: read_only is for playbooks that only look"
            return
        for name in ("verify", "revert", "stop_if"):
            if getattr(playbook, name):
                yield (name,), "a read_only playbook changes nothing, so there is nothing to watch or give back"
    for number, action in known:
        if action.one_way and playbook.revert:
            yield (
                ("steps", number, "action"),
                f"{action.name} cannot be given back, so the playbook may not have revert",
            )
        if action.one_way and playbook.risk in (Risk.READ_ONLY, Risk.SAFE):
            yield ("risk",), f"{action.name} cannot be undone: risk must be disruptive or destructive"


def _unknown_references(data: Mapping[str, Any]) -> Iterator[Found]:
    declared = data.get("parameters") or {}
    known = ", ".join(sorted(map(str, declared))) or "none"
    for at, value in _given(data):
        for name in PARAMETER.findall(str(value)):
            if name not in declared:
                yield at, f"unknown parameter ${{{name}}}: valid are {known}"


def _given(data: Mapping[str, Any]) -> Iterator[tuple[Location, Any]]:
    steps = data.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        given = step.get("with") if isinstance(step, dict) else None
        for key, value in (given if isinstance(given, dict) else {}).items():
            yield ("steps", number, "with", key), value


def _unknown_actions(data: Mapping[str, Any]) -> Iterator[Found]:
    steps = data.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        name = step.get("action") if isinstance(step, dict) else None
        if isinstance(name, str) and name not in ACTIONS:
            yield ("steps", number, "action"), f"unknown action {name!r}: valid are {', '.join(ACTIONS)}"


def automation_mistakes(data: Mapping[str, Any], playbooks: Mapping[str, Playbook] | None) -> Iterator[Found]:
    """Mistakes in `services.yaml`: dependencies nobody wrote, and playbooks that cannot start by themselves."""
    written = data.get("services")
    services: dict[str, Any] = written if isinstance(written, dict) else {}
    for name, service in services.items():
        if not isinstance(service, dict):
            continue
        for number, other in enumerate(_texts(service.get("depends_on"))):
            if other not in services:
                yield (
                    ("services", name, "depends_on", number),
                    f"{other} is not a service here: known are {', '.join(sorted(services))}",
                )
        automation = service.get("automation")
        auto = _texts(automation.get("auto")) if isinstance(automation, dict) else ()
        for number, playbook in enumerate(auto if playbooks is not None else ()):
            if message := _cannot_start(playbook, playbooks or {}):
                yield ("services", name, "automation", "auto", number), message


def _cannot_start(name: str, playbooks: Mapping[str, Playbook]) -> str | None:
    able = ", ".join(sorted(n for n, p in playbooks.items() if p.risk.may_start_itself)) or "none"
    if name not in playbooks:
        return f"there is no playbook {name}: those that may start by themselves are {able}"
    if not playbooks[name].risk.may_start_itself:
        return (
            f"{name} is {playbooks[name].risk.value} and needs a person: those that may start by themselves are {able}"
        )
    return None


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
