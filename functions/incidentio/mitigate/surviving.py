"""Which incident a run works for now: its own, or the one that took it over."""

from incidentio.core.errors import NotFound
from incidentio.core.incident import Incident
from incidentio.core.ports import Incidents

_MOST_MERGES = 10


def surviving(incidents: Incidents, incident: Incident) -> Incident:
    """`incident`, or the one that carries its impact on after merging (and merging that again)."""
    for _ in range(_MOST_MERGES):
        if incident.merged_into is None:
            return incident
        try:
            incident = incidents.incident(incident.merged_into)
        except NotFound:
            return incident
    return incident
