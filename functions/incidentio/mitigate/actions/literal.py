"""What a step's `with` says for certain at build time."""

from typing import Any

from incidentio.core.playbook import PARAMETER


def literal(value: Any, otherwise: str) -> str:
    """`value` when the step writes it out, `otherwise` when it is empty or only known at run time (`${…}`)."""
    text = "" if value is None else str(value)
    return otherwise if not text or PARAMETER.search(text) else text
