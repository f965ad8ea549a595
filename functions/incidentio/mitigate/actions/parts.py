"""Values made of parts that are set one by one: each is compared and given back by itself.

Where a call failed half way some parts are set and others not: that is still ours, and no foreign change.
"""

from collections.abc import Mapping
from typing import Any

from incidentio.mitigate.actions.action import Action, Change, Value


def same(action: Action[Any], now: Value, value: Value) -> bool:
    """Whether `now` is `value`. Parts that `value` does not speak of do not count: somebody added them."""
    return all(key in now and now[key] == part for key, part in value.items()) if action.parts else bool(now == value)


def untouched(action: Action[Any], now: Value, change: Change) -> bool:
    """Whether nobody but us changed anything: the value is the one before or, part by part, the one after."""
    if not action.parts:
        return bool(now == change.before)
    return all(key in now and now[key] in (part, change.after[key]) for key, part in change.before.items())


def to_set(action: Action[Any], now: Value, value: Value) -> Value:
    """What of `value` is not there yet."""
    return {key: part for key, part in value.items() if now.get(key) != part} if action.parts else value


def ours(now: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The parts that are still what we set, as they were before."""
    return {
        key: part
        for key, part in change.before.items()
        if key in now and now[key] == change.after[key] and now[key] != part
    }


def foreign(now: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The parts that somebody else changed, as they are now; one that is gone is None."""
    return {
        key: now.get(key)
        for key, part in change.before.items()
        if key not in now or now[key] not in (part, change.after[key])
    }
