"""When somebody must look at an incident again, if nothing happens until then."""

from datetime import datetime, timedelta

from incidentio.core.incident import Incident, Status
from incidentio.core.labels import labels_of
from incidentio.core.routing import Routing
from incidentio.core.signal import Kind, Mode


def next_due(incident: Incident, routing: Routing) -> datetime | None:
    """The earliest open wait of `incident`: triage, first page, repeat, recovery, quiet, …; None when there is none."""
    if not incident.is_open:
        return None
    waits = [
        triage_due(incident, routing),
        told_due(incident, routing),
        quiet_due(incident),
        repeat_due(incident),
        ack_due(incident, routing),
        recovery_due(incident, routing),
        incident.flapping_until,
        incident.released_at,
    ]
    return min((at for at in waits if at is not None), default=None)


def triage_due(incident: Incident, routing: Routing) -> datetime | None:
    """An incident nobody triaged by then is paged as SEV2 all the same."""
    return None if incident.triaged_at else incident.detected_at + routing.triage_timeout


def told_due(incident: Incident, routing: Routing) -> datetime | None:
    """Triaged and live, and by then nobody was told, nor why not: the event that should have done it is lost."""
    waiting = incident.status is Status.TRIGGERED and incident.mode is Mode.LIVE and not incident.quiet_until
    if not waiting or incident.told_episode == incident.episode or incident.triaged_at is None:
        return None
    return incident.triaged_at + routing.triage_timeout


def repeat_due(incident: Incident) -> datetime | None:
    """A page nobody acknowledged by then repeats."""
    waiting = incident.status is Status.TRIGGERED and incident.last_paged_at and incident.repeat_seconds
    if not waiting or incident.last_paged_at is None:
        return None
    return _not_before(incident.last_paged_at + timedelta(seconds=incident.repeat_seconds), incident.quiet_until)


def quiet_due(incident: Incident) -> datetime | None:
    """What kept people from being told is over then: who would have been told is told, if it still matters."""
    return incident.quiet_until if incident.status is Status.TRIGGERED else None


def ack_due(incident: Incident, routing: Routing) -> datetime | None:
    """Acknowledged, and nobody has worked on it since: by then it is paged again."""
    held = incident.status is Status.ACKNOWLEDGED and incident.mode is Mode.LIVE and incident.kind is Kind.REAL
    timeout = routing.ack_timeout_of(labels_of(incident), receiver=incident.receiver) if held else None
    if not timeout or incident.acknowledged_at is None:
        return None
    signs = (incident.acknowledged_at, incident.worked_at, incident.last_paged_at)
    return _not_before(max(at for at in signs if at) + timeout, incident.quiet_until)


def _not_before(due: datetime, quiet_until: datetime | None) -> datetime:
    return max(due, quiet_until) if quiet_until else due


def recovery_due(incident: Incident, routing: Routing) -> datetime | None:
    """Every signal has been ok since `ok_since`; from then on for `stable_for` it counts as recovered.

    While it flaps, ok means nothing before it has been quiet.
    """
    if incident.ok_since is None:
        return None
    stable = incident.ok_since + routing.recovery.stable_for
    return max(stable, incident.flapping_until) if incident.flapping_until else stable
