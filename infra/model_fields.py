"""What a model would have accepted at a place, to tell people who wrote something else."""

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag


def keys_at(model: type[BaseModel], at: Iterable[int | str]) -> list[str] | None:
    """The keys valid at `at` below `model`, sorted; None where any key (or none) is."""
    found: Any = model
    for part in at:
        tagged = isinstance(part, str) and part.startswith("<")
        found = _tagged(found, str(part)) if tagged else _below(found, part)
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


def _tagged(annotation: Any, tag: str) -> Any:
    """The branch of a discriminated union that pydantic names `tag`."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return inner if any(isinstance(mark, Tag) and mark.tag == tag for mark in marks) else _tagged(inner, tag)
    found = (_tagged(choice, tag) for choice in get_args(annotation) if get_origin(annotation) in (Union, UnionType))
    return next((branch for branch in found if branch is not None), None)


def _branches(annotation: Any) -> list[Any]:
    """The types of a union, without `Annotated`."""
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [branch for choice in get_args(annotation) for branch in _branches(choice)]
    return [annotation]


def _is_model(candidate: Any) -> bool:
    return isinstance(candidate, type) and issubclass(candidate, BaseModel)
