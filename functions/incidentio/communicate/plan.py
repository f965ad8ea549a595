"""Who is told what, decided without side effects from the incident as it is and what was told of it.

Events are hints: any of them, in any order and number, leads to the same calls, because a call
follows from the state and not from the event that brought us here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from incidentio.communicate.pages import Channel, Page
from incidentio.core.incident import Incident, Status
from incidentio.core.labels import labels_of
from incidentio.core.routing import Route, Routing
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode

CALLS = frozenset({"IncidentTriaged", "TriageOverdue", "IncidentReopened", "ImpactReturned", "IncidentPromoted"})
"""There may be something for somebody."""
_EVEN_IF_ACKNOWLEDGED = frozenset({"ImpactReturned", "SeverityChanged"})
NEEDS_A_PERSON = frozenset(
    {"ApprovalRequested", "ApprovalEscalated", "PlaybookRolledBack", "RollbackFailed", "ForeignChangeFound"}
)
"""Something stands still or is broken until a person looks."""
UPDATES = frozenset(
    {
        "IncidentMitigated",
        "IncidentResolved",
        "IncidentCancelled",
        "IncidentMerged",
        "PlaybookSucceeded",
        "PlaybookRefused",
    }
)
"""News for those who were told before, and for nobody else."""


@dataclass(frozen=True)
class Event:
    """What happened, if something did: the sweep comes without one."""

    type: str
    version: int
    seq: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Publish:
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Nobody:
    """Nobody is told, and the timeline says why, once per `code` and version.

    `settles`: nobody will be told of this episode of impact.
    """

    code: str
    reason: str
    settles: bool = False


@dataclass(frozen=True)
class Nothing:
    """Nothing to do and nothing to record: it was told already, or something else comes first."""

    reason: str


Plan = Publish | Nobody | Nothing


def plan(incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing) -> Plan:
    """What `event` (or a look by the sweep) asks for, given everything published so far."""
    if event is None or event.type in CALLS or _is_raise(incident, event):
        return _call(incident, event, pages, routing)
    if event.type in NEEDS_A_PERSON:
        return _help(incident, event)
    if event.type in UPDATES or event.type == "SeverityChanged":
        return _update(incident, event, pages)
    if event.type == "StormEnded":
        return _storm_over(incident, event, pages)
    if event.type == "IncidentLinked":
        return _linked(incident, event, pages)
    return Nothing(f"{event.type} is not told to anybody")


def next_repeat(incident: Incident, pages: Sequence[Page], routing: Routing, now: datetime) -> Page | None:
    """The call that is due again because nobody has acknowledged it."""
    interval = repeat_seconds(incident, routing)
    calls = [p for p in _calls(incident, pages) if p.published_at]
    if not calls or not interval or incident.status is not Status.TRIGGERED or incident.mode is not Mode.LIVE:
        return None
    last = max(calls, key=lambda p: (p.published_at, p.n))
    if last.published_at is None or last.published_at + timedelta(seconds=interval) > now:
        return None
    return replace(last, n=last.n + 1, claimed_at=None, published_at=None)


def repeat_seconds(incident: Incident, routing: Routing) -> int:
    """How often an unacknowledged call repeats now: tickets only where their route says so, heartbeats never.

    Nor a child of a storm, whose parent repeats.
    """
    if incident.kind is Kind.HEARTBEAT or incident.parent:
        return 0
    route = _route(incident, routing)
    interval = route.repeat_interval
    if interval is None:
        return int(routing.repeat_interval.total_seconds()) if route.receiver == "page" else 0
    return int(interval.total_seconds())


def _route(incident: Incident, routing: Routing) -> Route:
    route = routing.route.find(labels_of(incident))
    ruled = incident.receiver
    return Route(receiver=ruled) if ruled and ruled != route.receiver else route


def _channel(incident: Incident, routing: Routing) -> Channel:
    if incident.kind is not Kind.REAL:
        return Channel.TEST
    return Channel(_route(incident, routing).receiver)


def _is_raise(incident: Incident, event: Event) -> bool:
    """A worse severity is a call of its own, as long as the impact lasts."""
    if event.type != "SeverityChanged" or incident.status not in (Status.TRIGGERED, Status.ACKNOWLEDGED):
        return False
    return Severity(event.data["to"]).is_worse_than(Severity(event.data["from"]))


def _calls(incident: Incident, pages: Sequence[Page]) -> list[Page]:
    return [p for p in pages if p.call and p.version == incident.episode]


def _call(incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing) -> Plan:
    if first := _comes_first(incident, event):
        return Nothing(first)
    channel, severity = _channel(incident, routing), incident.severity
    if incident.mode is Mode.MONITOR:
        return Nobody("monitor", f"monitor mode: would have told the {channel} topic, as {severity.value}")
    told = _calls(incident, pages)
    if any(_covers(page, channel, severity) for page in told):
        return Nothing(f"the {channel} topic was already told")
    if in_hand := _in_hand(incident, event, told):
        return Nothing(f"it was {in_hand} after it was told") if told else _too_late(in_hand)
    name = event.type if event else "TriageOverdue" if incident.triaged_as == "overdue" else "IncidentTriaged"
    return Publish((Page(incident.id, channel, severity.value, incident.episode, event=name, call=True),))


def _comes_first(incident: Incident, event: Event | None) -> str | None:
    if incident.triaged_at is None:
        return "triage comes first"
    if event and event.type == "IncidentPromoted" and incident.triaged_as == "monitor":
        return "triage judges it again first"
    return None


def _in_hand(incident: Incident, event: Event | None, told: Sequence[Page]) -> str | None:
    """The status that makes a call pointless. A worse severity, or impact that is back, is told to its holder too."""
    if incident.status is Status.TRIGGERED:
        return None
    anyway = bool(told) or (event is not None and event.type in _EVEN_IF_ACKNOWLEDGED)
    return None if incident.status is Status.ACKNOWLEDGED and anyway else incident.status.value


def _too_late(status: str) -> Nobody:
    return Nobody(status, f"it was {status} before anybody was told", settles=True)


def _covers(page: Page, channel: Channel, severity: Severity) -> bool:
    """A page says all a ticket would; and who heard SEV1 needs no SEV2."""
    loud_enough = page.channel is channel or page.channel is Channel.PAGE
    return loud_enough and not severity.is_worse_than(Severity(page.notice))


def _help(incident: Incident, event: Event) -> Plan:
    if incident.mode is Mode.MONITOR:
        return Nobody(f"{event.type}.{event.seq}", f"monitor mode: would have told the page topic of {event.type}")
    if event.data.get("decided"):
        return Nobody(f"{event.type}.{event.seq}", f"the approval was {event.data['decided']} before anybody was told")
    channel = Channel.PAGE if incident.kind is Kind.REAL else Channel.TEST
    return Publish((_about(incident, event, channel),))


def _update(incident: Incident, event: Event, pages: Sequence[Page]) -> Plan:
    channels = sorted({page.channel for page in pages if page.call})
    if not channels:
        return Nothing("nobody was told of it before")
    return Publish(tuple(_about(incident, event, channel) for channel in channels))


def _linked(incident: Incident, event: Event, pages: Sequence[Page]) -> Plan:
    """Told once: by a call that knew of it already or is still to come, else by a notice where calls went before."""
    calls = [p for p in pages if p.call and p.published_at]
    told = {p.channel for p in calls if p.seen >= event.seq}
    channels = sorted({p.channel for p in calls} - told)
    if not channels or incident.mode is Mode.MONITOR:
        return Nothing("a call says it" if told or not calls else "monitor mode")
    return Publish(tuple(_about(incident, event, channel) for channel in channels))


def _storm_over(incident: Incident, event: Event, pages: Sequence[Page]) -> Plan:
    """What nobody has taken is told once, in one page, unless somebody has the storm itself."""
    if not event.data.get("waiting"):
        return Nothing("the storm left nothing that nobody has")
    if incident.status is not Status.TRIGGERED:
        return Nothing(f"the storm is over, and it is {incident.status.value}")
    return _update(incident, event, pages)


def _about(incident: Incident, event: Event, channel: Channel) -> Page:
    return Page(incident.id, channel, f"{event.type}.{event.seq}", event.version, event=event.type, seq=event.seq)
