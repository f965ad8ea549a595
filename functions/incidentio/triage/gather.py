"""Collect the evidence: the signals in the table, and their alarms' tags where a signal came without."""

from dataclasses import replace

from incidentio.core.errors import IncidentioError
from incidentio.core.incident import Incident
from incidentio.core.members import Member, members_of
from incidentio.core.ports import Table
from incidentio.core.redaction import redact_data
from incidentio.core.severity import Severity
from incidentio.core.signal import Subject
from incidentio.triage.evidence import Evidence, Heard
from incidentio.triage.ports import AlarmTags

LOOKUPS = 3
"""Alarms whose tags are asked for in one triage: CloudWatch allows few such calls a second, and the first tell most."""


def gather(incident: Incident, table: Table, alarm_tags: AlarmTags) -> Evidence:
    """Everything known about `incident`. Tags that cannot be read are reported, never waited for.

    A signal that is only there because something inhibits it makes nothing worse.
    """
    members = [m for m in members_of(table, incident.id) if not m.get("inhibited")] if incident.members else []
    signals = [_opening(incident, members)]
    signals += [_joined(m) for m in members if m["dedup_key"] != incident.dedup_key]
    heard, missing, asked = [], [], 0
    for signal in signals:
        arn = signal.subject.alarm_arn
        if signal.tags or not arn or asked == LOOKUPS:
            heard.append(signal)
            continue
        asked += 1
        try:
            heard.append(replace(signal, tags=redact_data(alarm_tags.tags_of(arn), limit=256)))
        except IncidentioError as error:
            heard.append(signal)
            missing.append(error.message)
    return Evidence(heard=tuple(heard), missing=tuple(missing))


def _opening(incident: Incident, members: list[Member]) -> Heard:
    own = next((m for m in members if m["dedup_key"] == incident.dedup_key), {})
    return _heard(own, incident.subject)


def _joined(member: Member) -> Heard:
    arn = str(member.get("alarm_arn") or "")
    described = Subject(alarm_name=arn.rpartition(":alarm:")[2], alarm_arn=arn)
    return _heard(member, Subject.model_validate(member["subject"]) if member.get("subject") else described)


def _heard(member: Member, subject: Subject) -> Heard:
    """The member record has the tags and what else the signal came with."""
    said = member.get("severity")
    return Heard(
        subject=subject,
        tags=member.get("tags") or {},
        severity=Severity(said) if said else None,
        service=member.get("service"),
        environment=member.get("environment"),
        reason=str(member.get("reason") or ""),
    )
