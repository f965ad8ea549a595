"""Snapshot, apply, verify, rollback and dry-run of one action, by comparing before setting.

The AWS calls behind the actions have no condition of their own, so the value is read again
right before each write: what is neither the value found nor the value set is somebody else's
change, and is left alone.
"""

from typing import Any

from incidentio.core.errors import Conflict, Forbidden, IncidentioError, InvalidInput, NotFound, Unavailable
from incidentio.mitigate.actions.action import Action, Call, Change, Value, only_allowed
from incidentio.mitigate.actions.parts import foreign, ours, same, to_set, untouched

Answer = dict[str, Any]


def snapshot(action: Action[Any], call: Call) -> Answer:
    """Check everything that can be checked and remember what is there.

    The value to set is part of the snapshot, so a relative change (`add: 2`) means the same at every retry.
    """
    if (why := action.skipped()) is not None:
        return {"snapshot": {"skipped": why}, "targets": 0, "of": 0}
    before = _found(action, call)
    after = action.wanted(before)
    _guard(action, call, Change(before, after))
    reach = action.reach(call)
    return {"snapshot": {"before": before, "after": after}, "targets": reach.targets, "of": reach.of}


def apply(action: Action[Any], call: Call, taken: Answer | None) -> Answer:
    """Set the value, unless it is set already (a retry) or no longer the one that was found."""
    if taken is None:
        raise InvalidInput("apply needs the snapshot of this step")
    if (why := taken.get("skipped")) is not None:
        return {"applied": True, "before": None, "after": None, "summary": why}
    if not action.changes:
        return _looked(action, call)
    before, after = taken["before"], taken["after"]
    now = _found(action, call)
    if same(action, now, after):
        return {"applied": True, "before": before, "after": after, "summary": _moved(action, before, after)}
    if not untouched(action, now, Change(before, after)):
        raise Conflict(
            f"{action.subject} was {action.said(before)} and is now {action.said(now)}: "
            "somebody else changed it, so it is left alone"
        )
    _guard(action, call, Change(before, after))
    action.write(call, to_set(action, now, after))
    return {"applied": True, "before": before, "after": after, "summary": _moved(action, before, after)}


def verify(action: Action[Any], call: Call, taken: Answer | None) -> Answer:
    """Whether the value that was set is there and in effect. (Whether that helped is for the alarm to say.)"""
    if taken is None:
        raise InvalidInput("verify needs the snapshot of this step")
    if (why := taken.get("skipped")) is not None:
        return {"verified": True, "summary": why}
    if not action.changes:
        return {"verified": True, "summary": f"{action.subject}: looked"}
    now = _found(action, call)
    if not same(action, now, taken["after"]):
        return {
            "verified": False,
            "summary": f"{action.subject} is {action.said(now)}, not {action.said(taken['after'])}",
        }
    pending = action.pending(call, now)
    summary = f"{action.subject} is {action.said(now)}"
    return {"verified": pending is None, "summary": f"{summary}: {pending}" if pending else summary}


def rollback(action: Action[Any], call: Call, taken: Answer | None) -> Answer:
    """Give the value back if it is still ours.

    `result`: `restored` (it was ours), `already` (nothing to give back), `foreign` (somebody changed
    it since, left alone), `stays` (it cannot be undone), `failed` (AWS refused). Trouble that may pass raises,
    to be tried again. `refused` in the snapshot says that nothing was written, for certain: the envelope puts it there.
    """
    if taken is None:
        return {"result": "already", "summary": "nothing was changed: there is no snapshot", "now": None}
    if (why := taken.get("skipped")) is not None:
        return {"result": "already", "summary": why, "now": None}
    if not action.changes:
        return {"result": "already", "summary": f"{action.subject}: only looked at", "now": None}
    try:
        return _given_back(
            action, call, Change(taken["before"], taken["after"]), late=action.seen_late and not taken.get("refused")
        )
    except Unavailable:
        raise
    except IncidentioError as error:
        return {"result": "failed", "summary": f"{action.subject} is not given back: {error.message}", "now": None}


def _given_back(action: Action[Any], call: Call, change: Change, *, late: bool) -> Answer:
    """`late`: what was written may not be seen yet."""
    try:
        now = action.read(call)
    except NotFound:
        summary = f"{action.subject}: it no longer exists, so there is nothing to give back"
        return {"result": "foreign", "summary": summary, "now": None}
    if same(action, now, change.before):
        if late:
            raise Unavailable(
                f"it is not known whether {action.subject} was {action.said(change.after)}: AWS does not show it so far"
            )
        return {"result": "already", "summary": f"{action.subject} is {action.said(now)} as before", "now": now}
    if action.one_way:
        if now == change.after:
            action.halt(call, now)
        summary = f"{action.subject} is {action.said(now)} and stays so: {action.one_way}"
        return {"result": "stays", "summary": summary, "now": now}
    if action.parts:
        return _parts_given_back(action, call, change, now)
    if now != change.after:
        summary = (
            f"{action.subject} is {action.said(now)}: we set {action.said(change.after)} and somebody else changed "
            f"it since. It was {action.said(change.before)} before; it is left alone"
        )
        return {"result": "foreign", "summary": summary, "now": now}
    action.write(call, change.before)
    return {"result": "restored", "summary": _moved(action, change.after, change.before), "now": change.before}


def _parts_given_back(action: Action[Any], call: Call, change: Change, now: Value) -> Answer:
    mine, others = ours(now, change), foreign(now, change)
    if mine:
        action.write(call, mine)
    back = {**now, **mine}
    if not others:
        return {"result": "restored", "summary": _moved(action, now, back), "now": back}
    was = {key: change.before[key] for key in others}
    summary = (
        f"{action.subject} is {action.said(others)}: somebody else changed that since we set it, so it is left alone. "
        f"It was {action.said(was)} before; all the rest is as before"
    )
    return {"result": "foreign", "summary": summary, "now": back}


def plan(action: Action[Any], call: Call) -> Answer:
    """What a run would do now, as text and as commands; changes nothing."""
    if (why := action.skipped()) is not None:
        return {"summary": why, "before": None, "after": None, "do": [], "undo": []}
    if not action.changes:
        looked, commands = _looked(action, call), action.commands(None)
        return {"summary": looked["summary"], "before": None, "after": None, "do": list(commands.look), "undo": []}
    before = _found(action, call)
    after = action.wanted(before)
    _guard(action, call, Change(before, after))
    commands = action.commands(Change(before, after))
    return {
        "summary": _moved(action, before, after),
        "before": before,
        "after": after,
        "do": [*commands.look, *commands.do],
        "undo": list(commands.undo),
    }


def _guard(action: Action[Any], call: Call, change: Change) -> None:
    if not action.only_allowed:
        action.guard(call, change)
        return
    with only_allowed(action.subject):
        action.guard(call, change)


def _looked(action: Action[Any], call: Call) -> Answer:
    facts = action.facts(call)
    summary = f"{action.subject}: {'; '.join(facts) or 'nothing to tell'}"
    return {"applied": True, "before": None, "after": None, "summary": summary, "facts": list(facts)}


def _found(action: Action[Any], call: Call) -> Value:
    try:
        return action.read(call)
    except NotFound as error:
        raise NotFound(f"there is no {action.resource}", **error.details) from error


EXPECTED = (NotFound, Forbidden, Conflict, InvalidInput)
"""Problems that another try will not solve: told as data, so that the run can roll back and say why."""


def _moved(action: Action[Any], before: Value, after: Value) -> str:
    if before == after:
        return f"{action.subject} is {action.said(after)} already"
    return f"{action.subject}: {action.said(before)} → {action.said(after)}"
