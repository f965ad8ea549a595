"""What is wrong with a playbook or an opt-in that no single field can tell: found in the raw data, with its place."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from incidentio.core.labels import EVERYWHERE, usual
from incidentio.core.playbook import PARAMETER, Playbook
from incidentio.core.risk import Risk
from incidentio.core.steps import ITEM, TARGETS, ForEach, Manual, Step
from incidentio.core.targets import NAMED
from incidentio.mitigate.actions import ACTIONS, Action, action_named, check_step
from infra.compiler.limits import unfit
from infra.located_yaml import Location, dotted

Found = tuple[Location, str]


def playbook_mistakes(data: Mapping[str, Any], folder: str) -> Iterator[Found]:
    """Mistakes in `playbook.yaml` found in `folder`."""
    if isinstance(name := data.get("name"), str) and name != folder:
        yield ("name",), f"the folder is called {folder}, so must the playbook be"
    yield from _unknown_target(data.get("targets"))
    yield from _unknown_references(data)
    try:
        playbook = Playbook.model_validate(data)
    except ValidationError:
        yield from _unknown_actions(data)
        return
    yield from dict.fromkeys(_step_mistakes(playbook))
    yield from dict.fromkeys(unfit(playbook))
    for number, matcher in enumerate(playbook.when):
        if not usual(matcher.label):
            yield (
                ("when", number),
                f"unknown label {matcher.label}: valid are {', '.join(EVERYWHERE)} and dim_<DimensionName>",
            )
    yield from _risk_mistakes(playbook)
    yield from _undo_mistakes(playbook)
    yield from _idle_mistakes(playbook)


def _idle_mistakes(playbook: Playbook) -> Iterator[Found]:
    """What is written and would do nothing."""
    if "approval" in playbook.model_fields_set and not playbook.risk.approvals:
        yield ("approval",), f"a {playbook.risk.value} playbook waits for nobody: leave it out, or raise the risk"
    for name, parameter in playbook.parameters.items():
        idle = ("pattern",) if parameter.type == "integer" else ("minimum", "maximum")
        fits = "minimum and maximum" if parameter.type == "integer" else "pattern"
        for option in idle:
            if getattr(parameter, option) is not None:
                yield ("parameters", name, option), f"does nothing for type {parameter.type}: use {fits}"


def _unknown_target(targets: Any) -> Iterator[Found]:
    type_ = targets.get("type") if isinstance(targets, dict) else None
    if isinstance(type_, str) and type_ not in _target_types():
        yield ("targets", "type"), f"unknown type {type_!r}: valid are {', '.join(sorted(_target_types()))}"


@cache
def _target_types() -> frozenset[str]:
    """What an action acts on, and what an alarm may be about (a step without a type of its own goes with any)."""
    return NAMED | {type_ for name in ACTIONS if (type_ := action_named(name).target_type)}


def _undo_mistakes(playbook: Playbook) -> Iterator[Found]:
    """Around `undoes_change`, without which the gate does not ask whether the change may be undone."""
    for at, action in _actions_of(playbook):
        if action.undoes_change and not playbook.undoes_change:
            yield (
                ("steps", *at, "action"),
                f"{action.name} undoes a change that somebody made, so the playbook must say undoes_change: true",
            )
    if playbook.undoes_change and playbook.revert:
        yield ("revert",), "must go where undoes_change is true: giving a rollback back would bring the bad change back"
    if playbook.undoes_change and playbook.risk in (Risk.READ_ONLY, Risk.SAFE):
        yield ("risk",), "a playbook that undoes a change needs a person: risk must be disruptive or destructive"


def _actions_of(playbook: Playbook) -> list[tuple[Location, type[Action[Any]]]]:
    """Where each known action stands below `steps`, once."""
    found = {
        leaf.at: action_named(leaf.step.action)
        for leaf in playbook.leaves
        if isinstance(leaf.step, Step) and leaf.step.action in ACTIONS
    }
    return list(found.items())


def _step_mistakes(playbook: Playbook) -> Iterator[Found]:
    taken = {*playbook.parameters, *EVERYWHERE}
    ids: dict[str, Location] = {}
    told: set[Location] = set()
    for leaf in playbook.leaves:
        known = taken | {name for name, other in ids.items() if not _beside(leaf.at, other)}
        at: Location = ("steps", *leaf.at)
        step = leaf.step
        if isinstance(step, Step):
            yield from (
                ((*at, *below), message)
                for below, message in check_step(step, playbook)
                # Nothing acts on a type that there is not: it is told where it stands, not at each step.
                if below != ("action",) or step.action not in ACTIONS or playbook.targets.type in _target_types()
            )
        for number, matcher in enumerate(step.if_):
            name = matcher.label.removesuffix(".before").removesuffix(".after").removesuffix(".said")
            if name in ids and name not in known:
                yield (*at, "if", number), f"{name} is in a branch beside this one, and which comes first is chance"
            elif name not in known and not usual(name):
                valid = f"{', '.join(sorted(known))}, dim_<DimensionName>, and the id of a step before"
                yield (*at, "if", number), f"unknown label {matcher.label}: valid are {valid}"
        if step.id:
            if step.id in taken:
                yield (*at, "id"), f"{step.id} is a parameter or a label already: call the step something else"
            # A step of foreach is there for each thing, and still one step.
            if ids.setdefault(step.id, leaf.at) != leaf.at and leaf.at not in told:
                told.add(leaf.at)
                where = dotted(("steps", *ids[step.id]))
                yield (*at, "id"), f"{step.id} is the id of {where} already: call this step something else"
    yield from _target_mistakes(playbook)


def _beside(at: Location, other: Location) -> bool:
    """Whether both stand in branches of the same parallel, where only timing would say which came first."""
    return at[:2] == other[:2] and "parallel" in at[:2] and at[2] != other[2]


def _target_mistakes(playbook: Playbook) -> Iterator[Found]:
    """`foreach: targets`, and what stands beside it: with several targets, each step must say which it means."""
    if not playbook.takes_targets:
        return
    if playbook.targets.max.count < 2:
        yield ("targets", "max", "count"), "foreach: targets needs more than one: raise count to what a run may have"
    for number, written in enumerate(playbook.written):
        if isinstance(written, ForEach) and written.foreach == TARGETS:
            continue
        beside = [leaf for leaf in playbook.leaves if leaf.at[0] == number]
        yield from (
            (("steps", *leaf.at), "with several targets it is not said which one this acts on: use foreach: targets")
            for leaf in beside
            if isinstance(leaf.step, Step) and leaf.step.action in ACTIONS
            if action_named(leaf.step.action).target_type is not None
        )


def _risk_mistakes(playbook: Playbook) -> Iterator[Found]:
    known = _actions_of(playbook)
    if playbook.risk is Risk.READ_ONLY:
        if changing := next((action for _, action in known if action.changes), None):
            yield ("risk",), f"{changing.name} changes things: read_only is for playbooks that only look"
            return
        if by_hand := next((leaf for leaf in playbook.leaves if isinstance(leaf.step, Manual)), None):
            yield ("steps", *by_hand.at), "a read_only playbook changes nothing, and nobody knows what a person does"
        for name in ("verify", "revert", "stop_if"):
            if getattr(playbook, name):
                yield (name,), "a read_only playbook changes nothing, so there is nothing to watch or give back"
    for at, action in known:
        if action.one_way and playbook.revert:
            yield (
                ("steps", *at, "action"),
                f"{action.name} cannot be given back, so the playbook may not have revert",
            )
        if action.one_way and playbook.risk in (Risk.READ_ONLY, Risk.SAFE):
            yield ("risk",), f"{action.name} cannot be undone: risk must be disruptive or destructive"


def _unknown_references(data: Mapping[str, Any]) -> Iterator[Found]:
    declared = data.get("parameters") or {}
    known = ", ".join(sorted(map(str, declared))) or "none"
    for at, step, has_item in _raw_steps(data.get("steps"), ("steps",)):
        for below, value in _texts_of(step):
            for name in PARAMETER.findall(str(value)):
                if name not in declared and not (name == ITEM and has_item):
                    yield (*at, *below), f"unknown parameter ${{{name}}}: valid are {known}"


def _texts_of(step: Mapping[str, Any]) -> Iterator[tuple[Location, Any]]:
    given = step.get("with")
    for key, value in (given if isinstance(given, dict) else {}).items():
        yield ("with", key), value
    yield ("manual",), step.get("manual", "")
    for name in ("commands", "undo"):
        for number, line in enumerate(_texts(step.get(name))):
            yield (name, number), line


def _raw_steps(
    data: Any, at: Location, *, has_item: bool = False
) -> Iterator[tuple[Location, Mapping[str, Any], bool]]:
    """Every single step as it is written, whatever is wrong with it, and whether `${item}` means something there."""
    for number, step in enumerate(data if isinstance(data, list) else ()):
        here = (*at, number)
        if not isinstance(step, dict):
            continue
        if "parallel" in step:
            for b, branch in enumerate(step["parallel"] if isinstance(step["parallel"], list) else ()):
                yield from _raw_steps(branch, (*here, "parallel", b))
        elif "foreach" in step:
            yield from _raw_steps(step.get("steps"), (*here, "steps"), has_item=step["foreach"] != TARGETS)
        else:
            yield here, step, has_item


def _unknown_actions(data: Mapping[str, Any]) -> Iterator[Found]:
    for at, step, _ in _raw_steps(data.get("steps"), ("steps",)):
        name = step.get("action")
        if isinstance(name, str) and name not in ACTIONS:
            yield (*at, "action"), f"unknown action {name!r}: valid are {', '.join(ACTIONS)}"


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
