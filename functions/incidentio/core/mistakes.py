"""What pydantic found wrong, in words for whoever wrote it: what stands there, and what would be right."""

from collections.abc import Mapping, Sequence
from typing import Any

_KINDS: Mapping[str, str] = {
    "string_type": "a text (in quotes, if it looks like a number)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "model_attributes_type": "keys and values",
}
"""pydantic's error type → what it expected: https://docs.pydantic.dev/latest/errors/validation_errors/"""

_BOUNDS: Mapping[str, tuple[str, str]] = {
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
}


def in_words(errors: Sequence[Any]) -> str:
    """pydantic's errors at one place (several: none of what may stand there fits) as one sentence."""
    if all(error["type"] in _KINDS for error in errors):
        kinds = dict.fromkeys(_KINDS[error["type"]] for error in errors)
        return f"expected {' or '.join(kinds)}, not {_shown(errors[0]['input'])}"
    return ", or: ".join(dict.fromkeys(_sentence(error) for error in errors))


def _sentence(error: Any) -> str:
    kind, given, limits = error["type"], error["input"], error.get("ctx", {})
    if kind in _KINDS:
        return f"expected {_KINDS[kind]}, not {_shown(given)}"
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        return f"must be {words} {limits[limit]}, not {_shown(given)}"
    match kind:
        case "enum" | "literal_error":
            valid = limits["expected"].replace("'", "").replace(" or ", ", ")
            return f"unknown value {_shown(given)}: valid {'are' if ',' in valid else 'is'} {valid}"
        case "string_pattern_mismatch":
            return f"{_shown(given)} does not match {limits['pattern']}"
        case "missing":
            return "this key is required"
    return _size(error, limits) or str(error["msg"]).removeprefix("Value error, ")


def _size(error: Any, limits: Mapping[str, Any]) -> str | None:
    match error["type"]:
        case "too_short":
            least, names = limits["min_length"], [part for part in error["loc"] if isinstance(part, str)]
            name = names[-1] if names and names[-1].endswith("s") else "values"
            return f"name at least {'one ' + name.removesuffix('s') if least == 1 else f'{least} {name}'}"
        case "too_long":
            return f"at most {limits['max_length']} are allowed, not {limits['actual_length'] or 'more'}"
        case "string_too_short":
            least = limits["min_length"]
            return "must not be empty" if least == 1 else f"must have at least {least} characters"
        case "string_too_long":
            return f"at most {limits['max_length']} characters are allowed, not {len(error['input'])}"
    return None


def _shown(value: Any) -> str:
    """As it is written, or nearly so; at most 60 characters."""
    text = str(value).lower() if isinstance(value, bool) else "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
