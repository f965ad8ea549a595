"""DynamoDB expressions: every name and value by placeholder, so that none is ever read as part of one."""

from collections.abc import Iterable, Mapping
from typing import Any

from incidentio.aws.attributes import to_attribute
from incidentio.core.ports import ABSENT, AtMost, Condition


def condition(when: Condition, names: dict[str, str], values: dict[str, Any]) -> str | None:
    """The condition expression of `when`, adding what it needs to `names` and `values`."""
    if when is None:
        return None
    if when is ABSENT:
        return "attribute_not_exists(pk)"
    if not isinstance(when, Mapping):
        raise TypeError(f"not a condition: {when!r}")
    found = []
    for i, (name, value) in enumerate(when.items()):
        names[f"#c{i}"] = name
        if value is None:
            found.append(f"attribute_not_exists(#c{i})")
        elif isinstance(value, AtMost):
            values[f":c{i}"] = value.value
            found.append(f"#c{i} <= :c{i}")
        else:
            values[f":c{i}"] = value
            found.append(f"#c{i} = :c{i}")
    return " AND ".join(found)


def terms(
    pairs: Mapping[str, Any], letter: str, between: str, names: dict[str, str], values: dict[str, Any]
) -> Iterable[str]:
    for i, (name, value) in enumerate(pairs.items()):
        names[f"#{letter}{i}"] = name
        values[f":{letter}{i}"] = value
        yield f"#{letter}{i}{between}:{letter}{i}"


def expression(holds: str | None, names: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if holds:
        arguments |= {"ConditionExpression": holds, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if names:
        arguments["ExpressionAttributeNames"] = dict(names)
    if values:
        arguments["ExpressionAttributeValues"] = {name: to_attribute(value) for name, value in values.items()}
    return arguments
