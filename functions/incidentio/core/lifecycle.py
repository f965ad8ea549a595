"""The state machine of an incident: which status may follow which, and the commands that move it.

`_NEXT` is where a command may lead; only impact that returns leads from `mitigated` back to `triggered`.
Every command is pure: incident in, `Change` out, or an error that names what would be legal.
"""

from datetime import datetime, timedelta
from typing import Any

from incidentio.core.errors import Conflict, IllegalTransition, InvalidInput
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.person import SYSTEM, Actor
from incidentio.core.severity import Severity

_NEXT: dict[Status, tuple[Status, ...]] = {
    Status.TRIGGERED: (Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED, Status.CANCELLED, Status.MERGED),
    Status.ACKNOWLEDGED: (Status.MITIGATED, Status.RESOLVED, Status.CANCELLED, Status.MERGED),
    Status.MITIGATED: (Status.ACKNOWLEDGED, Status.RESOLVED, Status.CANCELLED, Status.MERGED),
    Status.RESOLVED: (Status.CLOSED, Status.TRIGGERED),
    Status.CLOSED: (),
    Status.CANCELLED: (),
    Status.MERGED: (),
}
CANCEL_REASONS = ("false_positive", "duplicate", "expected", "test", "other")


def legal_next(status: Status) -> tuple[Status, ...]:
    """The statuses a command may lead to from `status`, in lifecycle order."""
    return _NEXT[status]


def require(incident: Incident, to: Status) -> None:
    """Raise IllegalTransition unless `incident` may move to `to`."""
    if to not in _NEXT[incident.status]:
        raise _illegal(incident, to)


def acknowledge(incident: Incident, *, actor: Actor, at: datetime, note: str = "") -> Change:
    """A person takes it: repeated pages stop."""
    return _move(
        incident,
        Status.ACKNOWLEDGED,
        "IncidentAcknowledged",
        actor=actor,
        at=at,
        text=f"acknowledged by {actor}",
        note=note,
        acknowledged_at=incident.acknowledged_at or at,
    )


def mitigate(incident: Incident, *, actor: Actor, at: datetime, note: str = "") -> Change:
    """Impact has stopped; the cause may still be there. Whether its signals stay ok is watched as before.

    A person who mitigates has taken it.
    """
    taken = {"acknowledged_at": incident.acknowledged_at or at} if actor.kind == "person" else {}
    return _move(
        incident,
        Status.MITIGATED,
        "IncidentMitigated",
        actor=actor,
        at=at,
        text=f"mitigated by {actor}",
        note=note,
        mitigated_at=at,
        **taken,
    )


def resolve(incident: Incident, *, actor: Actor, at: datetime, note: str = "", reason: str | None = None) -> Change:
    """It is over. The postmortem is drafted from here."""
    change = _move(
        incident,
        Status.RESOLVED,
        "IncidentResolved",
        actor=actor,
        at=at,
        text=f"resolved by {actor}",
        note=note,
        resolved_at=at,
        mitigated_at=incident.mitigated_at or at,
        ok_since=None,
        resolution_reason=reason,
    )
    return _letting_go(change, at)


def _letting_go(change: Change, at: datetime) -> Change:
    """What fires in it still, and was told to nobody because of another one, is told by itself from now on."""
    if not (change.incident.inhibits and change.incident.firing):
        return change
    text = "it is over: what it inhibited, and still fires, is told of by itself"
    return change.recorded("InhibitionEnded", actor=SYSTEM, at=at, text=text, released_at=None)


def close(incident: Incident, *, actor: Actor, at: datetime, note: str = "") -> Change:
    """Nothing is owed any more.

    Raises:
        Conflict: a borrowed change is still open, or a SEV1 or SEV2 postmortem is neither reviewed nor waived.
    """
    require(incident, Status.CLOSED)
    if incident.open_leases:
        raise Conflict(
            f"{incident.id} cannot close: {incident.open_leases} borrowed change(s) not restored yet; "
            f"see `incidentio incidents show {incident.id}`",
            open_leases=incident.open_leases,
        )
    if not incident.severity.is_worse_than(Severity.SEV3) or incident.postmortem in ("reviewed", "waived"):
        return _move(
            incident,
            Status.CLOSED,
            "IncidentClosed",
            actor=actor,
            at=at,
            text=f"closed by {actor}",
            note=note,
            closed_at=at,
        )
    raise Conflict(
        f"{incident.id} is {incident.severity.value}: its postmortem must be reviewed, or waived with a reason, first",
        postmortem=incident.postmortem,
    )


def cancel(incident: Incident, *, actor: Actor, at: datetime, reason: str, note: str = "") -> Change:
    """It was no incident: `reason` is one of CANCEL_REASONS."""
    if reason not in CANCEL_REASONS:
        raise InvalidInput(
            f"unknown reason {reason[:40]!r}: use one of {', '.join(CANCEL_REASONS)}", valid=list(CANCEL_REASONS)
        )
    change = _move(
        incident,
        Status.CANCELLED,
        "IncidentCancelled",
        actor=actor,
        at=at,
        text=f"cancelled by {actor}: {reason}",
        note=note,
        resolution_reason=reason,
        ok_since=None,
    )
    return _letting_go(change, at)


def merge(incident: Incident, *, into: Incident, actor: Actor, at: datetime, note: str = "") -> Change:
    """It is the same incident as `into`, which takes over its signals."""
    if into.id == incident.id:
        raise InvalidInput(f"{incident.id} cannot be merged into itself")
    if not into.is_open:
        raise Conflict(f"{into.id} is {into.status.value}: merge into an open incident", status=into.status.value)
    return _move(
        incident,
        Status.MERGED,
        "IncidentMerged",
        actor=actor,
        at=at,
        text=f"merged into {into.id} by {actor}",
        note=note,
        merged_into=into.id,
        ok_since=None,
    )


def reopen(
    incident: Incident, *, actor: Actor, at: datetime, window: timedelta, note: str = "", why: str = "", **updates: Any
) -> Change:
    """Back to `triggered`, inside `window` after it was resolved.

    Raises:
        Conflict: the window has passed; a new incident is the right thing then.
    """
    require(incident, Status.TRIGGERED)
    if not may_reopen(incident, at=at, window=window):
        raise Conflict(
            f"{incident.id} was resolved more than {int(window.total_seconds())} s ago: open a new incident instead",
            resolved_at=incident.resolved_at.isoformat() if incident.resolved_at else None,
        )
    return _move(
        incident,
        Status.TRIGGERED,
        "IncidentReopened",
        actor=actor,
        at=at,
        text=why or f"reopened by {actor}",
        note=note,
        **{
            "resolved_at": None,
            "mitigated_at": None,
            "acknowledged_at": None,
            "resolution_reason": None,
            "postmortem": "none",
            "ok_since": None,
            "episode": incident.version + 1,
            **updates,
        },
    )


def may_reopen(incident: Incident, *, at: datetime, window: timedelta) -> bool:
    return (
        incident.status is Status.RESOLVED and incident.resolved_at is not None and at - incident.resolved_at <= window
    )


def impact_returned(incident: Incident, *, actor: Actor, at: datetime, text: str, **updates: Any) -> Change:
    """`mitigated` falls back to `acknowledged`, or to `triggered` if nobody ever took it: the impact is there again."""
    back = Status.ACKNOWLEDGED if incident.acknowledged_at else Status.TRIGGERED
    if incident.status is not Status.MITIGATED:
        raise _illegal(incident, back)
    return recorded(
        incident,
        "ImpactReturned",
        actor=actor,
        at=at,
        text=text,
        data={"from": incident.status.value, "to": back.value},
        lifecycle=True,
        status=back,
        **{"mitigated_at": None, "ok_since": None, "episode": incident.version + 1, **updates},
    )


def change_severity(incident: Incident, severity: Severity, *, actor: Actor, at: datetime, why: str) -> Change | None:
    """None when it already has that severity. What a person sets, triage keeps."""
    if severity is incident.severity:
        return None
    return recorded(
        incident,
        "SeverityChanged",
        actor=actor,
        at=at,
        text=f"severity {incident.severity.value} → {severity.value}: {why}",
        data={"from": incident.severity.value, "to": severity.value, "why": why},
        lifecycle=True,
        severity=severity,
        severity_set=incident.severity_set or actor.kind == "person",
    )


def _illegal(incident: Incident, to: Status) -> IllegalTransition:
    legal = [s.value for s in _NEXT[incident.status]]
    return IllegalTransition(
        f"{incident.id} is {incident.status.value} (version {incident.version}) and cannot become {to.value}: "
        + (f"legal next: {', '.join(legal)}" if legal else "this is its final status"),
        status=incident.status.value,
        version=incident.version,
        legal=legal,
    )


def _move(
    incident: Incident, to: Status, type: str, *, actor: Actor, at: datetime, text: str, note: str, **updates: Any
) -> Change:
    require(incident, to)
    data: dict[str, Any] = {"from": incident.status.value, "to": to.value}
    if note:
        data["note"] = note
        text = f"{text}: {note}"
    return recorded(incident, type, actor=actor, at=at, text=text, data=data, lifecycle=True, status=to, **updates)
