"""A signal that belongs to nothing yet becomes an incident."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.members import NOT_SAID
from incidentio.core.person import Actor
from incidentio.core.redaction import redact
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, Signal


def actor_of(signal: Signal) -> Actor:
    return Actor(id=signal.source, kind="source")


def opened(
    incident_id: str,
    signal: Signal,
    *,
    at: datetime,
    correlation_id: str,
    previous_incident_id: str | None = None,
    parent: str | None = None,
    threshold: int = 1,
) -> Change:
    """The first version of the incident and its first entry; `parent` is the storm it belongs to.

    `previous_incident_id` is the one its signal had before, which is over: the entry names it.

    Severity is what the signal says; else SEV2 when somebody attached it to us on purpose, and SEV3 when not.
    Triage looks closer. A live signal of a group is only watched until there are `threshold` of them.
    """
    mode, reason, held_for = signal.mode, signal.mode_reason, 0
    if mode is Mode.LIVE and threshold > 1:
        mode, reason, held_for = Mode.MONITOR, held(1, threshold), threshold
    assumed = Severity.SEV2 if signal.mode is Mode.LIVE else Severity.SEV3
    incident = Incident(
        id=incident_id,
        title=signal.title,
        severity=signal.severity or assumed,
        service=signal.service,
        environment=signal.environment or "production",
        kind=signal.kind,
        mode=mode,
        mode_reason=reason,
        held_for=held_for,
        parent=parent,
        correlation_id=correlation_id,
        impact_started_at=min(signal.impact_started_at or signal.changed_at, at),
        detected_at=at,
        source=signal.source,
        dedup_key=signal.dedup_key,
        subject=signal.subject,
        members=1,
        firing=1,
        previous_incident_id=previous_incident_id,
    )
    fires = f"fires again after {previous_incident_id}" if previous_incident_id else "fires"
    return recorded(
        incident,
        "IncidentTriggered",
        actor=actor_of(signal),
        at=at,
        text=sentence(f"{signal.title} {fires}" + (f" in the storm {parent}" if parent else ""), signal),
        data={
            "source": signal.source,
            "state": signal.state.value,
            "changed_at": iso(signal.changed_at),
            "mode": mode.value,
            "mode_reason": reason,
            **({"previous_incident_id": previous_incident_id} if previous_incident_id else {}),
            **({"parent": parent} if parent else {}),
        },
    )


def held(members: int, needed: int) -> str:
    """Why an incident is only watched although live signals came."""
    return f"{members} of {needed} signals that it takes before anybody is told"


def promoted(incident: Incident, signal: Signal, *, at: datetime, reason: str) -> Change:
    """From watched to live for `reason`: somebody attached `signal` to us on purpose."""
    return recorded(
        incident,
        "IncidentPromoted",
        actor=actor_of(signal),
        at=at,
        text=f"from monitor to live: {reason}",
        data={"mode": Mode.LIVE.value, "mode_reason": reason, "dedup_key": signal.dedup_key},
        lifecycle=True,
        mode=Mode.LIVE,
        mode_reason=reason,
        held_for=0,
    )


def would_have(incident: Incident, would: Mapping[str, str], signal: Signal, *, at: datetime) -> Change | None:
    """What rules in monitor mode would have made of `signal`, by their kind; that it flaps is said once an incident."""
    said = {kind: text for kind, text in would.items() if kind not in incident.monitored or kind != "flapping"}
    if not said:
        return None
    return recorded(
        incident,
        "RuleMonitored",
        actor=actor_of(signal),
        at=at,
        text=redact(f"{signal.title} {'; it '.join(said.values())}. The rule is in monitor mode", limit=1000),
        data={"would": {kind: redact(text, limit=600) for kind, text in said.items()}},
        monitored=tuple(dict.fromkeys((*incident.monitored, *said))),
    )


def sentence(what: str, signal: Signal) -> str:
    return redact(f"{what}: {signal.reason}" if signal.reason else what, limit=600)


def member_body(signal: Signal, *, first_seen_at: str) -> dict[str, Any]:
    """A signal as a member of its incident: what triage reads, and what a page quotes."""
    told = {"service": signal.service, "environment": signal.environment, "severity": signal.severity}
    return {
        "dedup_key": signal.dedup_key,
        "state": signal.state.value,
        "source": signal.source,
        "title": signal.title,
        "reason": signal.reason,
        "alarm_arn": signal.subject.alarm_arn,
        "subject": signal.subject.model_dump(exclude_defaults=True),
        "changed_at": iso(signal.changed_at),
        "first_seen_at": first_seen_at,
        **({"tags": dict(signal.tags)} if signal.tags else {}),
        **{name: str(value) for name, value in told.items() if value},
    }


def pointer_body(
    signal: Signal, *, incident_id: str | None, mode: Mode, fence: str, count: int, stale: int, at: datetime
) -> dict[str, Any]:
    """A dedup key's first pointer: to an incident, or (ok, without one) only a fence."""
    return {
        **({"incident_id": incident_id} if incident_id else {}),
        "open": incident_id is not None,
        "state": signal.state.value,
        "mode": mode.value,
        "fence": fence,
        "count": count,
        "stale": stale,
        "first_seen_at": iso(at),
        "last_seen_at": iso(at),
        "source": signal.source,
        "severity": said(signal),
    }


def said(signal: Signal) -> str:
    """How bad a signal says it is, on its pointer; what sorts behind every severity where it does not say."""
    return signal.severity.value if signal.severity else NOT_SAID
