"""The end of a storm, and what opened before it was one: both are seen by the sweep."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from incidentio.aws.observability import log
from incidentio.core.amend import Decision, amend
from incidentio.core.duration import format_duration
from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident, Status, recorded
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Refused, Table, Update
from incidentio.core.routing import Routing
from incidentio.core.signal import Mode, SignalState
from incidentio.core.storm import DEDUP_KEY, RATE, by_storm, child_write, parent_of

_NAMED = 20
_LOOKED_AT = 500
_NO_WAIT = timedelta(0)


def watch_storm(table: Table, routing: Routing, now: datetime) -> int:
    """Go on with the storm that goes on, or end it; returns how many ended."""
    body = table.get(RATE) or {}
    named = parent_of(body)
    if named is None:
        return 0
    parent = _open(named, table)
    if parent is None:  # somebody ended it: the next new incident above the rate begins another storm
        _set(table, named, parent="")
        return 0
    if body.get("adopted") != named:
        for incident_id in _before(parent, table):
            _adopt(table, incident_id, parent.id, by_storm(routing.storm), now)
        _set(table, named, adopted=named)
    storm = routing.storm if routing.storm and routing.storm.mode is Mode.LIVE else None
    if storm and storm.rate(body, now) >= storm.opens:
        _set(table, named, over_at=iso(now))
        return 0
    quiet_for = storm.quiet_for if storm else _NO_WAIT
    if datetime.fromisoformat(body["over_at"]) + quiet_for > now:
        return 0
    children = sorted(waiting(parent.id, table), key=lambda child: (child.severity.rank, child.detected_at))
    began = datetime.fromisoformat(body["began_at"])
    amend(table, parent.id, lambda incident: _ended(table, incident, children, now, now - began))
    _set(table, named, parent="")
    log("storm ended", incident_id=parent.id, children=len(children))
    return 1


def _open(incident_id: str, table: Table) -> Incident | None:
    """The parent, or what it was merged into, if that is open."""
    try:
        incident = table.incident(incident_id)
        if incident.merged_into:
            incident = table.incident(incident.merged_into)
    except NotFound:
        return None
    return incident if incident.is_open else None


def _set(table: Table, named: str, **sets: str) -> None:
    """Unless another storm has begun meanwhile."""
    try:
        table.write(Update(RATE, sets, when={"parent": named}))
    except Refused:
        return


def _before(parent: Incident, table: Table) -> list[str]:
    """The incidents that made it a storm."""
    began = (entry for entry in table.timeline(parent.id, limit=5) if entry.type == "StormBegan")
    return [str(incident_id) for entry in began for incident_id in entry.data.get("before", ())]


def _adopt(table: Table, incident_id: str, parent: str, by: Mapping[str, Any], now: datetime) -> None:
    """One that was told by itself is told through the parent from now on: its page does not repeat."""

    def decide(incident: Incident) -> Decision:
        waiting = incident.status is Status.TRIGGERED and incident.mode is Mode.LIVE
        if not waiting or incident.parent or incident.id == parent:
            return None
        change = recorded(
            incident,
            "StormJoined",
            actor=SYSTEM,
            at=now,
            text=f"it belongs to the storm {parent}, which is told of from now on",
            data={"parent": parent, **by},
            parent=parent,
            repeat_seconds=0,
        )
        return change, [child_write(parent, incident.id)]

    try:
        amend(table, incident_id, decide)
    except NotFound:
        return


def waiting(parent: str, table: Table) -> Iterator[Incident]:
    """Children of a storm that nobody has taken: open, live, not acknowledged. Each costs a read when it is wanted."""
    for key, _ in islice(table.query(f"INC#{parent}", "CHILD#"), _LOOKED_AT):
        try:
            child = table.incident(key.sk.removeprefix("CHILD#"))
        except NotFound:
            continue
        if child.status is Status.TRIGGERED and child.mode is Mode.LIVE:
            yield child


def _ended(table: Table, incident: Incident, children: list[Incident], now: datetime, lasted: timedelta) -> Decision:
    """The storm was a signal of its parent, and is ok now."""
    key = pointer_key(DEDUP_KEY)
    pointer = table.get(key) or {}
    if not incident.is_open or pointer.get("incident_id") != incident.id or pointer.get("state") == SignalState.OK:
        return None
    firing = max(0, incident.firing - 1)
    named = ", ".join(
        f"{child.id} ({child.service or child.title[:60]}, {child.severity})" for child in children[:_NAMED]
    )
    more = f" and {len(children) - _NAMED} more" if len(children) > _NAMED else ""
    left = f"nobody has these {len(children)} yet: {named}{more}" if children else "nothing is left that nobody has"
    change = recorded(
        incident,
        "StormEnded",
        actor=SYSTEM,
        at=now,
        text=f"the storm is over after {format_duration(lasted)}; {left}",
        data={
            "unattended": incident.status is Status.TRIGGERED,
            "waiting": [child.id for child in children[:_NAMED]],
            "waiting_count": len(children),
        },
        firing=firing,
        ok_since=None if firing else now,
    )
    told = {"state": SignalState.OK.value, "changed_at": iso(now)}
    as_read = {"incident_id": incident.id, "state": pointer.get("state")}
    pointing = Update(key, {"state": SignalState.OK.value, "fence": iso(now)}, when=as_read)
    return change, [Update(member_key(incident.id, DEDUP_KEY), told), pointing]
