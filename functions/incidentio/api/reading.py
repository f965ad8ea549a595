"""What a reader gets beside the summary: playbook runs, and whether the audit chain holds."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentio.core.incident import Incident
from incidentio.core.ports import Records


def runs_of(records: Records, incident: Incident) -> list[Mapping[str, Any]]:
    """The incident's playbook runs in the order of their ids; none are read when none were ever requested."""
    if not incident.runs:
        return []
    found: Sequence[tuple[Any, Mapping[str, Any]]] = list(records.query(f"INC#{incident.id}", "RUN#"))
    return [{"id": key.sk.removeprefix("RUN#"), **body} for key, body in found]
