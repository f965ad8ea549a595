"""What `${…}` in a step may turn out to be: its parameter's default and bounds, tried one after the other."""

from collections.abc import Iterator
from typing import Any

from incidentio.core.playbook import PARAMETER, Parameter, Playbook, Step


def samples(step: Step, playbook: Playbook) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """A step's `with`, filled with known values of the parameters it uses.

    Yields the filled `with` and the keys nothing can be said about (a text without default): what is wrong
    there shows only in a run. One parameter varies at a time; the others keep their first value.
    """
    used = {name for value in step.with_.values() for name in PARAMETER.findall(str(value))}
    choices = {name: _values(playbook.parameters[name]) for name in used if name in playbook.parameters}
    first = {name: found[0] if found else "" for name, found in choices.items()}
    unsure = frozenset(
        key for key, value in step.with_.items() if any(not choices.get(name) for name in PARAMETER.findall(str(value)))
    )
    yield step.resolved(first), unsure
    for name, found in choices.items():
        for value in found[1:]:
            yield step.resolved(first | {name: value}), unsure


def _values(parameter: Parameter) -> list[int | str]:
    known = [parameter.default]
    if parameter.type == "integer":
        known += [parameter.minimum, parameter.maximum]
        if all(value is None for value in known):
            known = [1]
    return list(dict.fromkeys(value for value in known if value is not None))
