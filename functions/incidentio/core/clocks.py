"""The four clocks of an incident, in seconds."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from incidentio.core.incident import Incident


class Clocks(BaseModel):
    """Seconds, or None while one of the two moments is not known yet.

    `mttd`: impact started → detected. `mtta`: first page sent → acknowledged.
    `mttm`: detected → mitigated. `mttr`: detected → resolved.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    mttd: float | None = None
    mtta: float | None = None
    mttm: float | None = None
    mttr: float | None = None


def clocks_of(incident: Incident) -> Clocks:
    """What the timestamps say. An end before its start (an alarm that warned early) counts as 0."""
    return Clocks(
        mttd=_between(incident.impact_started_at, incident.detected_at),
        mtta=_between(incident.first_paged_at, incident.acknowledged_at),
        mttm=_between(incident.detected_at, incident.mitigated_at),
        mttr=_between(incident.detected_at, incident.resolved_at),
    )


def _between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return max(0.0, round((end - start).total_seconds(), 3))
