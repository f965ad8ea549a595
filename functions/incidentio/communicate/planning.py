"""Who is told what, decided without side effects from the incident as it is and what was told of it.

Events are hints: any of them, in any order and number, leads to the same calls, because a call
follows from the state and not from the event that brought us here.
"""

from collections.abc import Sequence

from incidentio.communicate.calls import CALLS, call, calls_of, comes_first, first_call, is_raise
from incidentio.communicate.notices import NEEDS_A_PERSON, UPDATES, linked, needed, news, storm_over
from incidentio.communicate.pages import Channel, Page
from incidentio.communicate.plan import Event, Nothing, Plan, Publish
from incidentio.core.heartbeat import is_beat
from incidentio.core.incident import Incident
from incidentio.core.quiet import Quiets
from incidentio.core.routing import Routing


def plan(incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing, quiets: Quiets) -> Plan:
    """What `event` (or a look by the sweep) asks for, given everything published so far and what holds it back now."""
    if is_beat(incident):
        return _beat(incident, pages)
    return _for_people(incident, event, pages, routing, quiets)


def _beat(incident: Incident, pages: Sequence[Page]) -> Plan:
    """To the test topic, once, whatever holds others back: it is sent to measure the way there."""
    if not incident.is_open or calls_of(incident, pages):
        return Nothing("a heartbeat is told once")
    if first := comes_first(incident, None):
        return Nothing(first)
    return Publish((first_call(incident, Channel.TEST, "IncidentTriaged"),))


def _for_people(
    incident: Incident, event: Event | None, pages: Sequence[Page], routing: Routing, quiets: Quiets
) -> Plan:
    if event is None or event.type in CALLS or is_raise(incident, event):
        return call(incident, event, pages, routing, quiets)
    if event.type in NEEDS_A_PERSON:
        return needed(incident, event, routing, quiets)
    if event.type in UPDATES or event.type == "SeverityChanged":
        return news(incident, event, pages, quiets)
    if event.type == "StormEnded":
        return storm_over(incident, event, pages, routing, quiets)
    if event.type == "IncidentLinked":
        return linked(incident, event, pages, quiets)
    return Nothing(f"{event.type} is not told to anybody")
