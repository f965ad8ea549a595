"""EventBridge's matching, as far as our rules use it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from typing import Any


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether `event` matches: every field named in the pattern does, by any of its alternatives."""
    return all(
        any(matches(each, event) for each in wanted) if name == "$or" else _field(wanted, event, name)
        for name, wanted in pattern.items()
    )


def _field(wanted: Any, event: dict[str, Any], name: str) -> bool:
    if isinstance(wanted, dict):  # a list of objects matches as any of them
        inner = event.get(name)
        return any(isinstance(i, dict) and matches(wanted, i) for i in (inner if isinstance(inner, list) else [inner]))
    if name not in event:
        return {"exists": False} in wanted
    values = event[name] if isinstance(event[name], list) else [event[name]]
    return any(_one(each, value) for each in wanted for value in values)


def _one(wanted: Any, value: Any) -> bool:
    match wanted:
        case {"exists": there}:
            return bool(there)
        case {"prefix": start}:
            return isinstance(value, str) and value.startswith(start)
        case {"anything-but": {"prefix": starts}}:
            return isinstance(value, str) and not value.startswith(tuple(starts))
        case {"anything-but": list(others)}:
            return value not in others
        case {"numeric": [">=", least]}:
            return isinstance(value, int | float) and value >= least
        case dict():
            raise NotImplementedError(f"operator {wanted}")
        case _:
            return bool(wanted == value)
