"""Opening an incident by hand."""

from datetime import datetime, timedelta

from incidentio.api import texts
from incidentio.api.calls import Api, Call, reused
from incidentio.api.requests import NewIncident
from incidentio.core.errors import InvalidInput, Unavailable
from incidentio.core.ids import new_incident_id
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.ports import ABSENT, Key, Put, Record, Refused, Stale
from incidentio.core.severity import Severity

_KEPT = timedelta(hours=24)
_CLOCK_SKEW = timedelta(minutes=5)
_TRIES = 5


def open_incident(api: Api, call: Call, wanted: NewIncident) -> Incident:
    """Create it, once per `Idempotency-Key` and caller for 24 hours.

    Triage then treats it like any other; the severity and service a person gave are kept.

    Raises:
        InvalidInput: a moment in the future.
        TooLarge: the note.
        Conflict: the key was used for another body.
    """
    if call.key and (before := opened_before(api, call.key)):
        return before
    for _ in range(_TRIES):
        change = _opened(call, wanted, new_incident_id())
        writes = [remembered(call.key, change.incident.id, call.at)] if call.key else []
        try:
            api.table.commit(change, *writes)
        except Stale:
            continue  # the id is taken: draw another
        except Refused:
            if call.key and (before := opened_before(api, call.key)):
                return before
            continue
        return change.incident
    raise Unavailable("no free incident id was found: try again")


def impact_start(at: datetime | None, now: datetime, *, field: str = "impact_started_at") -> datetime | None:
    """`at`, which may not lie in the future.

    Raises:
        InvalidInput: it does.
    """
    if at is not None and at > now + _CLOCK_SKEW:
        raise InvalidInput(f"{field} {at.isoformat()} is in the future: now is {now.isoformat()}", field=field)
    return min(at, now) if at else None


def _opened(call: Call, wanted: NewIncident, incident_id: str) -> Change:
    note = texts.note(wanted.note)
    title = texts.title(wanted.title)
    incident = Incident(
        id=incident_id,
        title=title,
        severity=wanted.severity or Severity.SEV3,
        severity_set=wanted.severity is not None,
        service=wanted.service,
        environment=wanted.environment or "production",
        given=tuple(name for name in ("environment", "service") if getattr(wanted, name)),
        kind=wanted.kind,
        mode_reason=f"opened by {call.actor}",
        correlation_id=incident_id,
        impact_started_at=impact_start(wanted.impact_started_at, call.at) or call.at,
        detected_at=call.at,
    )
    return recorded(
        incident,
        "IncidentTriggered",
        actor=call.actor,
        at=call.at,
        text=f"opened by {call.actor}: {title}" + (f"\n{note}" if note else ""),
        data={
            "title": title,
            "severity": wanted.severity.value if wanted.severity else None,
            "severity_by": call.actor.id if wanted.severity else None,
            "service": wanted.service,
            **({"note": note} if note else {}),
        },
        lifecycle=True,
    )


def _record_key(key: str) -> Key:
    return Key(f"IDEMP#{key.partition('.')[0]}", "CREATE")


def remembered(key: str, incident_id: str, at: datetime) -> Put:
    return Put(Record(_record_key(key), {"incident_id": incident_id, "key": key}, expires_at=at + _KEPT), ABSENT)


def opened_before(api: Api, key: str) -> Incident | None:
    record = api.table.get(_record_key(key))
    if record is None:
        return None
    if record["key"] != key:
        raise reused()
    return api.table.incident(record["incident_id"])
