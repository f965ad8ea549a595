"""A notice: one thing that happened, told once, to those whose help it needs or who were called before."""

from collections.abc import Sequence

from incidentio.communicate.calls import channel_of
from incidentio.communicate.pages import Channel, Page
from incidentio.communicate.plan import Event, Nobody, Nothing, Plan, Publish, only_watched
from incidentio.core.incident import Incident
from incidentio.core.quiet import Quiet, Quiets, monitored_by
from incidentio.core.routing import Routing
from incidentio.core.signal import Kind, Mode

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


def needed(incident: Incident, event: Event, routing: Routing, quiets: Quiets) -> Plan:
    """One of `NEEDS_A_PERSON`: to the page topic, whoever was called before."""
    if event.data.get("break_glass"):
        # Whoever acts alone does so before everybody, wherever they listen and whatever is quiet.
        loud = (Channel.PAGE, Channel.TICKET) if incident.kind is Kind.REAL else (Channel.TEST,)
        return Publish(tuple(_about(incident, event, channel) for channel in loud))
    if monitored := monitored_by(incident, routing):
        said = f"{monitored}: would have told the page topic of {event.type}"
        return only_watched(incident, f"{event.type}.{event.seq}", said)
    if event.type in _WAITS_FOR_QUIET and (quiet := quiets.over(incident)):
        return _held(event, quiet)
    if event.data.get("decided"):
        return Nobody(f"{event.type}.{event.seq}", f"the approval was {event.data['decided']} before anybody was told")
    channel = Channel.PAGE if incident.kind is Kind.REAL else Channel.TEST
    return Publish((_about(incident, event, channel),))


def news(incident: Incident, event: Event, pages: Sequence[Page], quiets: Quiets) -> Plan:
    """One of `UPDATES`: wherever calls went."""
    channels = sorted({page.channel for page in pages if page.call})
    if not channels:
        return Nothing("nobody was told of it before")
    return _to(channels, incident, event, quiets)


def linked(incident: Incident, event: Event, pages: Sequence[Page], quiets: Quiets) -> Plan:
    """Told once: by a call that knew of it already or is still to come, else by a notice where calls went before."""
    calls = [p for p in pages if p.call and p.published_at]
    told = {p.channel for p in calls if p.seen >= event.seq}
    channels = sorted({p.channel for p in calls} - told)
    if not channels or incident.mode is Mode.MONITOR:
        return Nothing("a call says it" if told or not calls else "monitor mode")
    return _to(channels, incident, event, quiets)


def storm_over(incident: Incident, event: Event, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Plan:
    """What nobody has taken is told once, in one page, unless somebody has the storm itself.

    Even if the storm was over before anybody was told of it: its children were not told either.
    """
    if not event.data.get("waiting"):
        return Nothing("the storm left nothing that nobody has")
    if not event.data.get("unattended") or incident.acknowledged_at:
        return Nothing("somebody has the storm, and so what is left of it")
    if any(page.call for page in pages):
        return news(incident, event, pages, quiets)
    if monitored := monitored_by(incident, routing):
        return only_watched(incident, f"{event.type}.{event.seq}", f"{monitored}: would have told what the storm left")
    return _to([channel_of(incident, routing)], incident, event, quiets)


def _to(channels: Sequence[Channel], incident: Incident, event: Event, quiets: Quiets) -> Plan:
    if quiet := quiets.over(incident):
        return _held(event, quiet)
    return Publish(tuple(_about(incident, event, channel) for channel in channels))


def _held(event: Event, quiet: Quiet) -> Nobody:
    return Nobody(f"{event.type}.{event.seq}", f"{quiet}: {event.type} is not told", quiet=quiet)


def _about(incident: Incident, event: Event, channel: Channel) -> Page:
    return Page(incident.id, channel, f"{event.type}.{event.seq}", event.version, event=event.type, seq=event.seq)
