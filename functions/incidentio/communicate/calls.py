"""A call: there is something for somebody. Made once for each episode of impact, and again until somebody has it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from incidentio.communicate.hysteresis import MOST_CALLS, enough_for_now
from incidentio.communicate.pages import FORGOTTEN, Channel, Page
from incidentio.communicate.plan import Event, Nobody, Nothing, Plan, Publish, only_watched
from incidentio.core.authored import by
from incidentio.core.deadlines import ack_due
from incidentio.core.ids import moment
from incidentio.core.incident import Incident, Status
from incidentio.core.labels import labels_of
from incidentio.core.quiet import Quiet, Quiets, monitored_by
from incidentio.core.routing import Route, Routing
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode

CALLS = frozenset({"IncidentTriaged", "TriageOverdue", "IncidentReopened", "ImpactReturned", "IncidentPromoted"})
"""There may be something for somebody."""
_EVEN_IF_ACKNOWLEDGED = frozenset({"ImpactReturned", "SeverityChanged"})


def call(incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Plan:
    """The first call of an episode, or a louder one; `event` is None for a look by the sweep."""
    if first := comes_first(incident, event):
        return Nothing(first)
    channel, severity = channel_of(incident, routing), incident.severity
    if monitored := monitored_by(incident, routing):
        live = incident.mode is Mode.LIVE
        reason = f"{monitored}: would have told the {channel} topic, as {severity.value}"
        return only_watched(incident, "monitor", reason, settles=live)
    told = calls_of(incident, pages)
    if any(_covers(page, channel, severity) for page in told):
        return Nothing(f"the {channel} topic was already told")
    if in_hand := _in_hand(incident, event, told):
        return Nothing(f"it was {in_hand} after it was told") if told else _too_late(in_hand)
    if held := _held(incident, pages, routing, quiets):
        return held
    name = event.type if event else "TriageOverdue" if incident.triaged_as == "overdue" else "IncidentTriaged"
    return Publish((first_call(incident, channel, name),))


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
    return first_call(incident, channel_of(incident, routing), FORGOTTEN)


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


def first_call(incident: Incident, channel: Channel, event: str) -> Page:
    return Page(
        incident.id,
        channel,
        incident.severity.value,
        incident.episode,
        event=event,
        call=True,
        services=_services(incident),
    )


def _again(last: Page, incident: Incident) -> Page:
    return replace(last, n=last.n + 1, services=_services(incident), claimed_at=None, published_at=None)


def _route(incident: Incident, routing: Routing) -> Route:
    route = routing.route.find(labels_of(incident))
    ruled = incident.receiver
    return Route(receiver=ruled) if ruled and ruled != route.receiver else route


def channel_of(incident: Incident, routing: Routing) -> Channel:
    if incident.kind is not Kind.REAL:
        return Channel.TEST
    return Channel(_route(incident, routing).receiver)


def _services(incident: Incident) -> tuple[str, ...]:
    own = (incident.service,) if incident.service else ()
    return (*own, *(name for name in incident.blast_radius if name != incident.service))


def calls_of(incident: Incident, pages: Sequence[Page]) -> list[Page]:
    """Those of the present episode of impact."""
    return [p for p in pages if p.call and p.version == incident.episode]


def _last_call(incident: Incident, pages: Sequence[Page]) -> Page | None:
    """The latest published call of the present episode of impact."""
    calls = [p for p in calls_of(incident, pages) if p.published_at]
    return max(calls, key=lambda p: (p.published_at, p.n), default=None)


def comes_first(incident: Incident, event: Event | None) -> str | None:
    """What must happen before anybody is called."""
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


def _held(incident: Incident, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Nobody | None:
    """Why a call waits although it is due."""
    if quiet := quiets.over(incident):
        return _quiet(incident, quiet)
    rule = routing.flapping
    within = rule.within if rule else timedelta(0)
    until = enough_for_now(incident, pages, _services(incident), within=within, at=quiets.at)
    if until is None:
        return None
    since = moment(incident.flapping_since or until)
    said = f"it is flapping since {since}{rule.whose if rule else ''} and was told of {MOST_CALLS} times"
    ends = rule.ends if rule else "when it is quiet"
    code = f"flapping.{incident.severity.value}"
    if incident.status is not Status.TRIGGERED:
        return Nobody(code, f"{said}; somebody has it", settles=True, by=by(rule, ends))
    why = f"{said}: again at {moment(until)} unless somebody acknowledges it"
    return Nobody(code, why, until=until, by=by(rule, f"{ends}, or is worse"))


def _quiet(incident: Incident, quiet: Quiet) -> Nobody:
    return Nobody(f"quiet.{quiet.id}.{incident.severity.value}", str(quiet), until=quiet.until, quiet=quiet)


def is_raise(incident: Incident, event: Event) -> bool:
    """A worse severity is a call of its own, as long as the impact lasts."""
    if event.type != "SeverityChanged" or incident.status not in (Status.TRIGGERED, Status.ACKNOWLEDGED):
        return False
    return Severity(event.data["to"]).is_worse_than(Severity(event.data["from"]))
