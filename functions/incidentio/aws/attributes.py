"""JSON-like values to DynamoDB attribute values and back.

boto3's own serializer insists on Decimal and costs five times as much; the hot path does this for
every batch.
"""

from collections.abc import Mapping
from typing import Any


def to_attribute(value: Any) -> dict[str, Any]:
    """str, bool, int, float, None, list/tuple and dict, nested at will.

    Raises:
        TypeError: another type; convert it at the boundary.
    """
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case None:
            return {"NULL": True}
        case list() | tuple():
            return {"L": [to_attribute(v) for v in value]}
        case Mapping():
            return {"M": {k: to_attribute(v) for k, v in value.items()}}
    raise TypeError(f"cannot store a {type(value).__name__}")


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """The value of one attribute; numbers become int where they are whole."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return float(value) if "." in value or "e" in value.lower() else int(value)
        case "NULL":
            return None
        case "L":
            return [from_attribute(v) for v in value]
        case "M":
            return {k: from_attribute(v) for k, v in value.items()}
    raise TypeError(f"unexpected attribute type {kind}")


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_attribute(value) for name, value in values.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: from_attribute(attribute) for name, attribute in item.items()}
