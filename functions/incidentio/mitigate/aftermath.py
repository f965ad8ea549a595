"""After an undo that is not whole: what is still changed, what was given back, and what a person must do, to paste."""

from collections.abc import Iterable, Sequence
from typing import Any

from incidentio.core.errors import IncidentioError
from incidentio.core.targets import partition_of
from incidentio.mitigate.run import MAYBE_CHANGED, Run, RunStep, StepStatus

_KINDS: Sequence[tuple[str, str, frozenset[StepStatus]]] = (
    ("still_changed", "Still changed", frozenset({"failed", "kept", "applied"})),
    ("stays", "Stays as it is", frozenset({"stays", "done", "asked"})),
    ("left_alone", "Left alone, since somebody else changed it", frozenset({"foreign"})),
    ("given_back", "Given back", frozenset({"restored", "already"})),
)


def told_of(run: Run, steps: Iterable[RunStep], *, headline: str) -> tuple[str, dict[str, Any]]:
    """The text and the data of an entry that asks for a person, because of `steps`.

    `data` has a list of sentences under `still_changed`, `stays`, `left_alone`, `given_back`, and what to do about
    `steps`: `to_do` in words, `commands` to paste, in the order of an undo.
    """
    found: dict[str, Any] = {"reason": run.reason, "steps": results_of(run)}
    said = [f"{headline}."]
    for name, title, statuses in _KINDS:
        found[name] = [_line(step) for step in reversed(run.steps) if step.touched and step.status in statuses]
        if found[name]:
            said.append(f"{title}: {'; '.join(found[name])}.")
    todo = [(step, undo_commands(run, step)) for step in sorted(steps, key=lambda step: -step.n)]
    found["commands"] = [line for _, lines in todo for line in lines]
    found["to_do"] = [_by_hand(step, lines) for step, lines in todo]
    wordless = [words for words, (_, lines) in zip(found["to_do"], todo, strict=True) if not lines]
    if wordless:
        said.append(f"A person must do this: {'; '.join(wordless)}.")
    if found["commands"]:
        said.append(f"To put back what was there before: {' ; '.join(found['commands'])}")
    return " ".join(said), found


def undo_commands(run: Run, step: RunStep) -> list[str]:
    """Plain `aws` commands that set what was there before this step; none when the action cannot say."""
    if step.kind == "manual":
        return str(step.given.get("undo", "")).splitlines()
    if not step.touched:
        return []
    from incidentio.mitigate.actions import Place, prepared  # noqa: PLC0415 - every action, and few undos leave anything
    from incidentio.mitigate.actions.action import Change  # noqa: PLC0415 - as above

    target = run.target_of(step)
    _, account, region, _ = target.split("|", 3)
    place = Place(partition=partition_of(region), account=account, region=region)
    try:
        action = prepared(step.action, step.given, target, place)
    except IncidentioError:
        return []
    return list(action.commands(Change(step.before, step.after)).undo)


def left_of(run: Run) -> list[RunStep]:
    """Steps that nobody has undone, or may not have: actions, and what people did."""
    return [s for s in run.steps if s.status in MAYBE_CHANGED or (s.kind == "manual" and s.touched)]


def account_of(run: Run) -> str:
    """What became of each step, the last first."""
    return "; ".join(_line(step) for step in reversed(run.steps) if step.touched)


def results_of(run: Run) -> list[dict[str, object]]:
    """Each step that may have changed something, with its values and what became of them."""
    return [
        {"step": s.n, "action": s.action, "before": s.before, "after": s.after, "result": s.status}
        for s in run.steps
        if s.touched
    ]


def _line(step: RunStep) -> str:
    if step.status == "asked":
        return f"it is not known whether a person did this: {step.given['manual']}"
    if step.status == "kept" and not step.undo_summary:
        return f"{step.action} may have changed {step.before} to {step.after}"
    return step.undo_summary or step.summary or f"step {step.n}: {step.status}"


def _by_hand(step: RunStep, commands: Sequence[str]) -> str:
    if commands:
        return f"undo step {step.n}, {step.action}, with the commands"
    if step.status == "stays":
        return f"judge whether step {step.n} may stay: {_line(step)}"
    return f"undo step {step.n}, {step.action}, for which there is no command: it was {step.before} before"
