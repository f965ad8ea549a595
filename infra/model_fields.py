"""What a model would have accepted at a place, to tell people who wrote something else."""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def keys_at(model: type[BaseModel], at: Iterable[int | str]) -> list[str] | None:
    """The keys valid at `at` below `model`, sorted; None where any key (or none) is."""
    found: Any = model
    for part in at:
        found = _below(found, part)
    for candidate in _branches(found):
        if _is_model(candidate):
            return sorted(field.alias or name for name, field in candidate.model_fields.items())
    return None


def _below(annotation: Any, part: int | str) -> Any:
    for candidate in _branches(annotation):
        if _is_model(candidate):
            for name, field in candidate.model_fields.items():
                if part in (name, field.alias):
                    return field.annotation
        elif get_origin(candidate) in (dict, Mapping):
            return get_args(candidate)[1]
        elif get_origin(candidate) in (tuple, list):
            return get_args(candidate)[0]
    return None


def _branches(annotation: Any) -> list[Any]:
    """The types of a union, without `Annotated`."""
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [branch for choice in get_args(annotation) for branch in _branches(choice)]
    return [annotation]


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
