"""Corrections, notes, roles and severity: what people change without moving the lifecycle."""

from typing import Any

from incidentio.api import texts
from incidentio.api.calls import Call
from incidentio.api.opening import impact_start
from incidentio.api.requests import Corrections, RoleAssignment, SeverityChange
from incidentio.core.errors import Conflict, InvalidInput
from incidentio.core.incident import Change, Incident, SaidImpact, Status, recorded
from incidentio.core.lifecycle import change_severity
from incidentio.core.redaction import redact

_FINAL = frozenset({Status.CLOSED, Status.CANCELLED, Status.MERGED})
_GIVEN = frozenset({"service", "environment"})
"""What triage decides as well, and leaves alone once a person has said it."""


def corrected(incident: Incident, call: Call, wanted: Corrections) -> Change | None:
    """Title, service, environment, impact and its start, with before and after in the entry.

    Raises:
        InvalidInput: nothing given, or a null where there must be a value.
    """
    if not wanted.model_fields_set:
        raise InvalidInput("nothing to change: give title, service, environment, impact or impact_started_at")
    updates: dict[str, Any] = {name: getattr(wanted, name) for name in sorted(wanted.model_fields_set)}
    for name in ("title", "environment", "impact_started_at"):
        if name in updates and updates[name] is None:
            raise InvalidInput(f"{name} may not be null", field=name)
    if "title" in updates:
        updates["title"] = texts.title(updates["title"])
    if "impact_started_at" in updates:
        updates["impact_started_at"] = impact_start(updates["impact_started_at"], call.at)
    if "impact" in updates:
        updates["impact"] = _said_impact(incident.impact, wanted.impact)
    changed = {name: value for name, value in updates.items() if getattr(incident, name) != value}
    if not changed:
        return None
    before = {name: _plain(getattr(incident, name)) for name in changed}
    after = {name: _plain(value) for name, value in changed.items()}
    words = ", ".join(f"{name} {_words(before[name])} → {_words(after[name])}" for name in changed)
    return recorded(
        incident,
        "IncidentUpdated",
        actor=call.actor,
        at=call.at,
        text=f"{words}, by {call.actor}",
        data={"before": before, "after": after},
        lifecycle=True,
        given=tuple(dict.fromkeys([*incident.given, *sorted(_GIVEN & changed.keys())])),
        **changed,
    )


def noted(incident: Incident, call: Call, text: str) -> Change:
    """Raises: TooLarge, InvalidInput (empty)."""
    cleaned = texts.required(text, field="text")
    return recorded(
        incident,
        "NoteAdded",
        actor=call.actor,
        at=call.at,
        text=f"{call.actor}: {cleaned}",
        data={"note": cleaned},
    )


def role_assigned(incident: Incident, call: Call, wanted: RoleAssignment) -> Change | None:
    """One person a role; None when it is that person already."""
    person = redact(wanted.person, limit=400) if wanted.person else call.actor.id
    if incident.roles.get(wanted.role) == person:
        return None
    return recorded(
        incident,
        "RoleAssigned",
        actor=call.actor,
        at=call.at,
        text=f"{wanted.role.replace('_', ' ')} is {person}, assigned by {call.actor}",
        data={"role": wanted.role, "person": person, "before": incident.roles.get(wanted.role)},
        lifecycle=True,
        roles={**incident.roles, wanted.role: person},
    )


def severity_changed(incident: Incident, call: Call, wanted: SeverityChange) -> Change | None:
    """A person's severity stays: triage and the sweeper leave it alone from then on.

    Raises:
        InvalidInput: no reason given. Conflict: the incident is past changing.
    """
    if incident.status in _FINAL:
        raise Conflict(f"{incident.id} is {incident.status.value}: its severity stays", status=incident.status.value)
    why = texts.required(wanted.reason, field="reason")
    changed = change_severity(incident, wanted.severity, actor=call.actor, at=call.at, why=f"{why} ({call.actor})")
    if changed or incident.severity_set:
        return changed
    return recorded(
        incident,
        "IncidentUpdated",
        actor=call.actor,
        at=call.at,
        text=f"severity {incident.severity.value} confirmed by {call.actor}: {why}",
        data={"severity": incident.severity.value, "why": why},
        lifecycle=True,
        severity_set=True,
    )


def _said_impact(before: SaidImpact | None, wanted: SaidImpact | None) -> SaidImpact | None:
    """What was given changes, the rest stays; None when a person says nothing any more."""
    given = {name: getattr(wanted, name) for name in wanted.model_fields_set} if wanted else SaidImpact().model_dump()
    after = (before or SaidImpact()).model_copy(update=given)
    return None if after == SaidImpact() else after


def _plain(value: Any) -> Any:
    if isinstance(value, SaidImpact):
        return value.model_dump(exclude_none=True)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _words(value: Any) -> str:
    said = ", ".join(f"{name} {part}" for name, part in value.items()) if isinstance(value, dict) else value
    return str(said or "none")
