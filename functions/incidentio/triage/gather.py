"""Collect the evidence: member signals from the table, and their alarms' tags where the signal came without."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from incidentio.core.errors import IncidentioError
from incidentio.core.incident import Incident
from incidentio.core.ports import Table
from incidentio.core.severity import Severity
from incidentio.core.signal import Subject
from incidentio.triage.evidence import Evidence, Heard
from incidentio.triage.ports import AlarmTags

MEMBERS = 25
"""Signals looked at: in a storm the first ones tell what the rest repeat."""
LOOKUPS = 3
"""Alarms whose tags are asked for in one triage: CloudWatch allows few such calls a second."""


def gather(incident: Incident, table: Table, alarm_tags: AlarmTags) -> Evidence:
    """Everything known about `incident`. Tags that cannot be read are reported, never waited for."""
    members = [_heard(body) for _, body in islice(table.query(f"INC#{incident.id}", "MEMBER#"), MEMBERS)]
    opening = [m for m in members if m.subject == incident.subject][:1] or [Heard(subject=incident.subject)]
    others = [m for m in members if m not in opening]
    heard, missing, asked = [], [], 0
    for signal in [*opening, *others]:
        arn = signal.subject.alarm_arn
        if signal.tags or not arn or asked == LOOKUPS:
            heard.append(signal)
            continue
        asked += 1
        try:
            heard.append(replace(signal, tags=alarm_tags.tags_of(arn)))
        except IncidentioError as error:
            heard.append(signal)
            missing.append(f"tags of {signal.subject.alarm_name or arn}: {error.message}")
    return Evidence(heard=tuple(heard), missing=tuple(missing))


def _heard(member: Mapping[str, Any]) -> Heard:
    severity = member.get("severity")
    return Heard(
        subject=Subject.model_validate(member.get("subject") or {}),
        tags=member.get("tags") or {},
        severity=Severity(severity) if severity else None,
        service=member.get("service"),
        environment=member.get("environment"),
        reason=str(member.get("reason") or ""),
    )
