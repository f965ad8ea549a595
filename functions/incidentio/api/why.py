"""Why was (or was not) somebody paged: a few sentences from the incident, its timeline and the routing of now."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from incidentio.api.calls import Api
from incidentio.api.views import Shown, View
from incidentio.core.counted import counted, fire
from incidentio.core.deadlines import ack_due, quiet_due, recovery_due, repeat_due, told_due, triage_due
from incidentio.core.duration import format_duration
from incidentio.core.ids import moment, parse_incident_id
from incidentio.core.incident import Incident, Status
from incidentio.core.inhibited import inhibition_of
from incidentio.core.labels import labels_of
from incidentio.core.quiet import Quiets, monitored_by, quiets_at
from incidentio.core.routing import Routing
from incidentio.core.signal import Kind
from incidentio.core.timeline import Entry

_NOT_TOLD = frozenset({"NotificationSkipped", "AutomationHeld", "SignalInhibited"})
_SHOWN = 3


class ToldView(View):
    """One publication. `call`: somebody was called, rather than given news."""

    at: Shown
    topic: str
    page_id: str
    event: str
    severity: str
    call: bool
    n: int


class NotToldView(View):
    """Why people were not told, or nothing started; and where a rule, silence or window held it back, whose that is.

    `until` is its end as a time, where one is known; `ends` says it in words.
    """

    at: Shown
    type: Literal["NotificationSkipped", "AutomationHeld", "SignalInhibited"]
    reason: str
    code: str
    quiet: str | None
    author: str | None
    comment: str | None
    until: str | None
    ends: str | None


class RouteView(View):
    """Where routing sends it now; `matchers` are those of each route from the top to the one that decided."""

    receiver: Literal["page", "ticket", "test"]
    mode: Literal["live", "monitor"]
    matchers: list[list[str]]


class NextView(View):
    at: Shown
    what: str


class WhyView(View):
    incident_id: str
    answer: list[str] = Field(description="Sentences, to be read in this order.")
    route: RouteView
    told: list[ToldView]
    not_told: list[NotToldView]
    next: NextView | None = Field(description="What happens by itself if nobody does anything.")


def why(api: Api, incident_id: str) -> WhyView:
    """Raises: NotFound, InvalidInput (not an incident id)."""
    incident = api.table.incident(parse_incident_id(incident_id))
    routing = api.bundle.catalog.routing
    quiets = quiets_at(api.table, routing.maintenance, api.clock())
    quiets = replace(quiets, inhibition=inhibition_of(incident, api.table, api.bundle.catalog, quiets.at))
    return explained(incident, api.table.timeline(incident.id), routing, quiets)


def explained(incident: Incident, entries: Sequence[Entry], routing: Routing, quiets: Quiets) -> WhyView:
    """The whole answer; pure."""
    told = [_told(entry) for entry in entries if entry.type == "PagePublished"]
    not_told = [_not_told(entry) for entry in entries if entry.type in _NOT_TOLD]
    route, following = _route(incident, routing), _next(incident, routing)
    answer = [
        _signals(incident, entries),
        _mode(incident, routing),
        _sent_to(incident, route),
        *_told_or_not(told, not_told),
        *_now(incident, quiets),
        _what_follows(incident, following),
    ]
    return WhyView(incident_id=incident.id, answer=answer, route=route, told=told, not_told=not_told, next=following)


def _signals(incident: Incident, entries: Sequence[Entry]) -> str:
    opened = next((entry.text.splitlines()[0] for entry in entries if entry.type == "IncidentTriggered"), "")
    service = f" of {incident.service}" if incident.service else ""
    count = f"; {fire(incident.firing, incident.members)}" if incident.members else ""
    kind = "" if incident.kind is Kind.REAL else f"a {incident.kind.value}, "
    where = f"{kind}{incident.severity.value}{service} in {incident.environment}, {incident.status.value}"
    return f"{incident.id} is {where}{count}. It began with: {(opened or incident.title).rstrip('.')}."


def _mode(incident: Incident, routing: Routing) -> str:
    because = f" ({incident.mode_reason})" if incident.mode_reason else ""
    if monitored := monitored_by(incident, routing):
        return f"Nobody is told of it and nothing starts by itself: {monitored}{because}."
    return f"It is live{because}."


def _route(incident: Incident, routing: Routing) -> RouteView:
    labels = labels_of(incident)
    path, found = routing.route.path(labels), routing.route.find(labels)
    receiver = "test" if incident.kind is not Kind.REAL else incident.receiver or found.receiver
    return RouteView(
        receiver=receiver,
        mode="monitor" if found.monitors else "live",
        matchers=[[str(matcher) for matcher in route.matchers] for route in path if route.matchers],
    )


def _sent_to(incident: Incident, route: RouteView) -> str:
    if route.receiver == "test":
        return f"A {incident.kind.value} goes to the test topic, whatever routing says."
    if incident.receiver:
        rule = incident.ruled.get("receiver")
        return f"A rule{f' ({rule})' if rule else ''} sends it to the {route.receiver} topic, whatever the route says."
    if not route.matchers:
        return f"No route matches, so it goes where the top one says: the {route.receiver} topic."
    which = "; below it ".join(", ".join(matchers) for matchers in route.matchers)
    return f"Routing sends it to the {route.receiver} topic: the route {which} matches."


def _told_or_not(told: Sequence[ToldView], not_told: Sequence[NotToldView]) -> list[str]:
    """In the order in which it happened."""
    calls = [page for page in told if page.call]
    dated = sorted([*_who_was_told(calls), *_who_was_not(not_told)], key=lambda said: said[0])
    return [*([] if calls else ["Nobody has been called."]), *(sentence for _, sentence in dated)]


def _who_was_told(calls: Sequence[ToldView]) -> list[tuple[datetime, str]]:
    said = []
    for page in calls[:_SHOWN]:
        again = f", call {page.n}" if page.n > 1 else ""
        told = f"The {page.topic} topic was told at {moment(page.at)} as {page.severity}{again} ({page.page_id})."
        said.append((page.at, told))
    if len(calls) > _SHOWN:
        more, last = counted(len(calls) - _SHOWN, "more call"), calls[-1]
        said.append((last.at, f"And {more}, the last at {moment(last.at)} ({last.page_id})."))
    return said


def _who_was_not(not_told: Sequence[NotToldView]) -> list[tuple[datetime, str]]:
    left, shown = not_told[:-_SHOWN], not_told[-_SHOWN:]
    said = [(entry.at, f"At {moment(entry.at)} {entry.reason.rstrip('.')}.") for entry in shown]
    if left:
        before = f"({counted(len(left), 'earlier reason')} {'is' if len(left) == 1 else 'are'} in the timeline.)"
        said.insert(0, (left[-1].at, before))
    return said


def _now(incident: Incident, quiets: Quiets) -> list[str]:
    quiet = quiets.over(incident) if incident.is_open else None
    through = [f"It is told through {incident.parent}, the storm it is part of."] if incident.parent else []
    watched = quiets.would_be_over(incident) if incident.is_open else None
    would = [f"In monitor mode, so it holds nothing back now: {watched}."] if watched else []
    broken = [f"{broken}." for broken in quiets.broken] if incident.is_open else []
    return [*through, *([f"Now: {quiet}."] if quiet else []), *would, *broken]


def _what_follows(incident: Incident, following: NextView | None) -> str:
    if following:
        return f"Next, at {moment(following.at)}: {following.what}."
    return f"Nothing more is told by itself while it is {incident.status.value}."


def _next(incident: Incident, routing: Routing) -> NextView | None:
    if not incident.is_open:
        return None
    settled = routing.recovery.action(incident.severity)
    stable = format_duration(routing.recovery.stable_for)
    outcome = "resolves" if settled == "resolve" else "becomes mitigated" if incident.status in _GOES_ON else "waits"
    waits: list[tuple[datetime | None, str]] = [
        (triage_due(incident, routing), "if triage has not answered by then, it is paged as at least SEV2"),
        (told_due(incident, routing), "if nobody was told by then, the event was lost, and the sweep tells"),
        (quiet_due(incident), "what keeps people from being told is over, and whoever should know is told"),
        (repeat_due(incident), "it is told again, unless somebody acknowledges it"),
        (ack_due(incident, routing), "it is paged again, unless somebody works on it (a note is enough)"),
        (recovery_due(incident, routing), f"if its signals stay ok for {stable}, it {outcome}"),
    ]
    known = [(at, what) for at, what in waits if at is not None]
    at, what = min(known, key=lambda wait: wait[0], default=(None, ""))
    return NextView(at=at, what=what) if at else None


_GOES_ON = frozenset({Status.TRIGGERED, Status.ACKNOWLEDGED})


def _told(entry: Entry) -> ToldView:
    data = entry.data
    return ToldView(
        at=entry.at,
        topic=data["channel"],
        page_id=data["page_id"],
        event=data["event"],
        severity=data["severity"],
        call=data["call"],
        n=data["n"],
    )


def _not_told(entry: Entry) -> NotToldView:
    data: dict[str, Any] = {name: entry.data.get(name) for name in ("quiet", "author", "comment", "until", "ends")}
    code = entry.data.get("code", "inhibited")
    return NotToldView.model_validate({**data, "at": entry.at, "type": entry.type, "reason": entry.text, "code": code})
