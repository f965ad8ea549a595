"""Who is told what, decided without side effects from the incident as it is and what was told of it.

Events are hints: any of them, in any order and number, leads to the same calls, because a call
follows from the state and not from the event that brought us here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from incidentio.communicate.hysteresis import MOST_CALLS, enough_for_now
from incidentio.communicate.pages import FORGOTTEN, Channel, Page
from incidentio.core.deadlines import ack_due
from incidentio.core.heartbeat import is_beat
from incidentio.core.incident import Incident, Status
from incidentio.core.labels import labels_of
from incidentio.core.quiet import Quiet, Quiets, moment, monitored_by
from incidentio.core.routing import Route, Routing
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode

CALLS = frozenset({"IncidentTriaged", "TriageOverdue", "IncidentReopened", "ImpactReturned", "IncidentPromoted"})
"""There may be something for somebody."""
_EVEN_IF_ACKNOWLEDGED = frozenset({"ImpactReturned", "SeverityChanged"})
NEEDS_A_PERSON = frozenset(
    {
        "ApprovalRequested",
        "ApprovalEscalated",
        "ForeignChangeFound",
        "ManualStepRequested",
        "PlaybookRolledBack",
        "RollbackFailed",
        "UndoLeftToPeople",
    }
)
"""Something stands still or is broken until a person looks."""
_WAITS_FOR_QUIET = frozenset({"PlaybookRolledBack"})
"""Of these, what is as it was before: it can wait for the end of a silence. The others nobody would ever be told of."""
UPDATES = frozenset(
    {
        "IncidentMitigated",
        "IncidentResolved",
        "IncidentCancelled",
        "IncidentMerged",
        "PlaybookSucceeded",
        "PlaybookHeld",
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

    `settles`: nobody will be told of this episode of impact. `until`: a call waits until then, and is made if it still
    matters; `quiet` is the silence or window that it waits for.
    """

    code: str
    reason: str
    settles: bool = False
    until: datetime | None = None
    quiet: Quiet | None = None


@dataclass(frozen=True)
class Nothing:
    """Nothing to do and nothing to record: it was told already, or something else comes first."""

    reason: str


Plan = Publish | Nobody | Nothing


def plan(incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Plan:
    """What `event` (or a look by the sweep) asks for, given everything published so far and what holds it back now."""
    if is_beat(incident):
        return _beat(incident, pages)
    return _for_people(incident, event, pages, routing, quiets)


def _beat(incident: Incident, pages: Sequence[Page]) -> Plan:
    """To the test topic, once, whatever holds others back: it is sent to measure the way there."""
    if not incident.is_open or _calls(incident, pages):
        return Nothing("a heartbeat is told once")
    if first := _comes_first(incident, None):
        return Nothing(first)
    return Publish((_first_call(incident, Channel.TEST, "IncidentTriaged"),))


def _for_people(
    incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing, quiets: Quiets
) -> Plan:
    if event is None or event.type in CALLS or _is_raise(incident, event):
        return _call(incident, event, pages, routing, quiets)
    if event.type in NEEDS_A_PERSON:
        return _help(incident, event, routing, quiets)
    if event.type in UPDATES or event.type == "SeverityChanged":
        return _update(incident, event, pages, quiets)
    if event.type == "StormEnded":
        return _storm_over(incident, event, pages, routing, quiets)
    if event.type == "IncidentLinked":
        return _linked(incident, event, pages, quiets)
    return Nothing(f"{event.type} is not told to anybody")


def next_repeat(incident: Incident, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Page | Nobody | None:
    """The call that is due again because nobody has acknowledged it, or why it waits."""
    last = _last_call(incident, pages)
    interval = repeat_seconds(incident, routing)
    if not last or not interval or incident.status is not Status.TRIGGERED or incident.mode is not Mode.LIVE:
        return None
    if last.published_at is None or last.published_at + timedelta(seconds=interval) > quiets.at:
        return None
    return _held(incident, pages, routing, quiets) or _again(last, incident)


def reminder(incident: Incident, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Page | Nobody | None:
    """The call of an incident that was acknowledged and forgotten, or why it waits."""
    due = ack_due(incident, routing)
    if due is None or due > quiets.at:
        return None
    if quiet := quiets.over(incident):
        return _quiet(incident, quiet)
    if last := _last_call(incident, pages):
        return replace(_again(last, incident), event=FORGOTTEN)
    return _first_call(incident, _channel(incident, routing), FORGOTTEN)


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


def _last_call(incident: Incident, pages: Sequence[Page]) -> Page | None:
    """The latest published call of the present episode of impact."""
    calls = [p for p in _calls(incident, pages) if p.published_at]
    return max(calls, key=lambda p: (p.published_at, p.n), default=None)


def _again(last: Page, incident: Incident) -> Page:
    return replace(last, n=last.n + 1, services=_services(incident), claimed_at=None, published_at=None)


def _first_call(incident: Incident, channel: Channel, event: str) -> Page:
    return Page(
        incident.id,
        channel,
        incident.severity.value,
        incident.episode,
        event=event,
        call=True,
        services=_services(incident),
    )


def _services(incident: Incident) -> tuple[str, ...]:
    own = (incident.service,) if incident.service else ()
    return (*own, *(name for name in incident.blast_radius if name != incident.service))


def _held(incident: Incident, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Nobody | None:
    """Why a call waits although it is due."""
    if quiet := quiets.over(incident):
        return _quiet(incident, quiet)
    within = routing.flapping.within if routing.flapping else timedelta(0)
    until = enough_for_now(incident, pages, _services(incident), within=within, at=quiets.at)
    if until is None:
        return None
    said = f"it is flapping since {moment(incident.flapping_since or until)} and was told of {MOST_CALLS} times"
    code = f"flapping.{incident.severity.value}"
    if incident.status is not Status.TRIGGERED:
        return Nobody(code, f"{said}; somebody has it", settles=True)
    return Nobody(code, f"{said}: again at {moment(until)} unless somebody acknowledges it", until=until)


def _quiet(incident: Incident, quiet: Quiet) -> Nobody:
    return Nobody(f"quiet.{quiet.id}.{incident.severity.value}", str(quiet), until=quiet.until, quiet=quiet)


def _is_raise(incident: Incident, event: Event) -> bool:
    """A worse severity is a call of its own, as long as the impact lasts."""
    if event.type != "SeverityChanged" or incident.status not in (Status.TRIGGERED, Status.ACKNOWLEDGED):
        return False
    return Severity(event.data["to"]).is_worse_than(Severity(event.data["from"]))


def _calls(incident: Incident, pages: Sequence[Page]) -> list[Page]:
    return [p for p in pages if p.call and p.version == incident.episode]


def _call(incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Plan:
    if first := _comes_first(incident, event):
        return Nothing(first)
    channel, severity = _channel(incident, routing), incident.severity
    if monitored := monitored_by(incident, routing):
        live = incident.mode is Mode.LIVE
        return Nobody("monitor", f"{monitored}: would have told the {channel} topic, as {severity.value}", settles=live)
    told = _calls(incident, pages)
    if any(_covers(page, channel, severity) for page in told):
        return Nothing(f"the {channel} topic was already told")
    if in_hand := _in_hand(incident, event, told):
        return Nothing(f"it was {in_hand} after it was told") if told else _too_late(in_hand)
    if held := _held(incident, pages, routing, quiets):
        return held
    name = event.type if event else "TriageOverdue" if incident.triaged_as == "overdue" else "IncidentTriaged"
    return Publish((_first_call(incident, channel, name),))


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


def _help(incident: Incident, event: Event, routing: Routing, quiets: Quiets) -> Plan:
    if event.data.get("break_glass"):
        # Whoever acts alone does so before everybody, wherever they listen and whatever is quiet.
        loud = (Channel.PAGE, Channel.TICKET) if incident.kind is Kind.REAL else (Channel.TEST,)
        return Publish(tuple(_about(incident, event, channel) for channel in loud))
    if monitored := monitored_by(incident, routing):
        return Nobody(f"{event.type}.{event.seq}", f"{monitored}: would have told the page topic of {event.type}")
    quiet = quiets.over(incident) if event.type in _WAITS_FOR_QUIET else None
    if quiet:
        return Nobody(f"{event.type}.{event.seq}", f"{quiet}: {event.type} is not told", quiet=quiet)
    if event.data.get("decided"):
        return Nobody(f"{event.type}.{event.seq}", f"the approval was {event.data['decided']} before anybody was told")
    channel = Channel.PAGE if incident.kind is Kind.REAL else Channel.TEST
    return Publish((_about(incident, event, channel),))


def _update(incident: Incident, event: Event, pages: Sequence[Page], quiets: Quiets) -> Plan:
    channels = sorted({page.channel for page in pages if page.call})
    if not channels:
        return Nothing("nobody was told of it before")
    if quiet := quiets.over(incident):
        return Nobody(f"{event.type}.{event.seq}", f"{quiet}: {event.type} is not told", quiet=quiet)
    return Publish(tuple(_about(incident, event, channel) for channel in channels))


def _linked(incident: Incident, event: Event, pages: Sequence[Page], quiets: Quiets) -> Plan:
    """Told once: by a call that knew of it already or is still to come, else by a notice where calls went before."""
    calls = [p for p in pages if p.call and p.published_at]
    told = {p.channel for p in calls if p.seen >= event.seq}
    channels = sorted({p.channel for p in calls} - told)
    if not channels or incident.mode is Mode.MONITOR:
        return Nothing("a call says it" if told or not calls else "monitor mode")
    if quiet := quiets.over(incident):
        return Nobody(f"{event.type}.{event.seq}", f"{quiet}: {event.type} is not told", quiet=quiet)
    return Publish(tuple(_about(incident, event, channel) for channel in channels))


def _storm_over(incident: Incident, event: Event, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Plan:
    """What nobody has taken is told once, in one page, unless somebody has the storm itself.

    Even if the storm was over before anybody was told of it: its children were not told either.
    """
    if not event.data.get("waiting"):
        return Nothing("the storm left nothing that nobody has")
    if not event.data.get("unattended") or incident.acknowledged_at:
        return Nothing("somebody has the storm, and so what is left of it")
    if any(page.call for page in pages):
        return _update(incident, event, pages, quiets)
    if monitored := monitored_by(incident, routing):
        return Nobody(f"{event.type}.{event.seq}", f"{monitored}: would have told what the storm left")
    if quiet := quiets.over(incident):
        return Nobody(f"{event.type}.{event.seq}", f"{quiet}: {event.type} is not told", quiet=quiet)
    return Publish((_about(incident, event, _channel(incident, routing)),))


def _about(incident: Incident, event: Event, channel: Channel) -> Page:
    return Page(incident.id, channel, f"{event.type}.{event.seq}", event.version, event=event.type, seq=event.seq)
