"""Incidents filed by service: what is found by asking which ones a service has, or has had.

One record an incident, key `SERVICE#<service>` / `<detected at>#<incident id>`, kept for `KEPT`; incidents of no known
service are under the empty name. It holds what the incident was about; how it stands is read from the incident.
"""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.ports import Key, Put, Record, Records

KEPT = timedelta(days=365)
_REASON = 300


class Filed(BaseModel):
    """One incident as it was filed, already redacted."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: str
    at: datetime
    service: str | None = None
    title: str = ""
    alarm: str = ""
    metric: str = ""
    reason: str = ""

    @property
    def text(self) -> str:
        return f"{self.title} {self.alarm} {self.metric} {self.reason}"


def filed(incident: Incident, service: str | None, reason: str) -> Filed:
    return Filed(
        id=incident.id,
        at=incident.detected_at,
        service=service,
        title=incident.title,
        alarm=incident.subject.alarm_name,
        metric=incident.subject.metric,
        reason=reason[:_REASON],
    )


def filing(entry: Filed) -> Put:
    """The write that files it; filing it again writes the same record."""
    body = entry.model_dump(mode="json", exclude_defaults=True)
    return Put(Record(Key(_partition(entry.service), f"{iso(entry.at)}#{entry.id}"), body, entry.at + KEPT))


def filed_under(records: Records, service: str | None, *, limit: int) -> list[Filed]:
    """The incidents of `service`, newest first."""
    found = records.query(_partition(service), newest_first=True, limit=limit)
    return [Filed.model_validate(body) for _, body in found]


def _partition(service: str | None) -> str:
    return f"SERVICE#{service or ''}"
