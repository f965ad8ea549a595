"""EventBridge's matching, as far as our rules use it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from typing import Any


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether `event` matches: every field named in the pattern does, by any of its alternatives."""
    return all(
        isinstance(event.get(name), dict) and matches(wanted, event[name])
        if isinstance(wanted, dict)
        else any(_one(each, event[name]) for each in wanted)
        if name in event
        else False
        for name, wanted in pattern.items()
    )


def _one(wanted: Any, value: Any) -> bool:
    match wanted:
        case {"prefix": start}:
            return isinstance(value, str) and value.startswith(start)
        case {"anything-but": {"prefix": starts}}:
            return isinstance(value, str) and not value.startswith(tuple(starts))
        case dict():
            raise NotImplementedError(f"operator {wanted}")
        case _:
            return bool(wanted == value)
