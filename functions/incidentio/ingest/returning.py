"""A signal whose incident is over, or that was in it only while something else fired: each is one change."""

from datetime import datetime, timedelta

from incidentio.core.amend import Decision
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.lifecycle import reopen
from incidentio.core.members import left_key, member_key, reopening
from incidentio.core.ports import Delete, Put, Record, Records, Update
from incidentio.core.redaction import redact
from incidentio.ingest.case import Case
from incidentio.ingest.decide import AfterEnd, Step, after_end
from incidentio.ingest.opening import actor_of, sentence
from incidentio.ingest.outcome import Ended
from incidentio.ingest.together import Part, Storm, Story

_KEPT = timedelta(days=15)
"""As long as a queue can keep the message that goes on from there."""


def reopened(records: Records, incident: Incident, case: Case, storm: Storm) -> Decision:
    """It fires again soon after the end: back to life, with what else fires; told through a `storm`.

    Raises:
        Ended: it may not be reopened any more, or is open.
    """
    routing = case.catalog.routing
    if after_end(incident, now=case.now, window=routing.reopen_window) is not AfterEnd.REOPEN:
        raise Ended
    others, firing = reopening(records, incident)
    members = incident.members + (not case.is_member(incident))
    change = reopen(
        incident,
        actor=actor_of(case.signal),
        at=case.now,
        window=routing.reopen_window,
        why=sentence(f"{case.signal.title} fires again soon after the incident was resolved", case.signal),
        members=members,
        firing=min(members, firing + (not case.fires_in(incident))),
    )
    story = Story(incident, routing, case.now, change)
    part = Part(case, Step.FIRE_AGAIN, threshold=case.threshold)
    story.flap([part])
    story.promote([part])
    story.join_storm([case], storm)
    own = [write for write in others if isinstance(write, Update) and write.key != case.key]
    return story.ended, [*own, *case.joining(story.ended.incident), *story.writes]


def _at_once(incident: Incident, case: Case) -> datetime | None:
    """What leaves may inhibit others that stay."""
    return case.now if incident.inhibits and case.inhibits_others else incident.released_at


def left(incident: Incident, case: Case) -> Decision:
    """What inhibited it fires no more: it leaves, and opens an incident of its own.

    In between it names the incident it left, and is kept there, so that whoever comes next goes on from there.

    Raises:
        Ended: the incident is over, so there is nothing to leave.
    """
    if not incident.is_open:
        raise Ended(incident.merged_into or "")
    firing = incident.firing - case.fires_in(incident)
    change: Change = recorded(
        incident,
        "IncidentSplit",
        actor=actor_of(case.signal),
        at=case.now,
        text=redact(f"{case.signal.title} fires, and nothing inhibits it any more: it is on its own", limit=600),
        data={"dedup_key": case.run.dedup_key, "title": case.signal.title},
        members=max(0, incident.members - 1),
        firing=max(0, firing),
        ok_since=None if firing > 0 else incident.ok_since or case.now,
        released_at=_at_once(incident, case),
    )
    gone = {"apart": incident.id, "inhibited": False, "open": False}
    kept = Record(left_key(incident.id, case.run.dedup_key), case.kept, case.now + _KEPT)
    return change, [
        Delete(member_key(incident.id, case.run.dedup_key)),
        Put(kept),
        Update(case.key, gone, when=case.unchanged),
    ]
