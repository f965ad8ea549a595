"""Does the timeline still say what was written? The chain recomputed, and held against the latest anchor."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from incidentio.api.calls import Api
from incidentio.api.incident_views import AnchorView, Verification
from incidentio.core.archive import Archive, anchor_key
from incidentio.core.errors import Damaged
from incidentio.core.ids import parse_incident_id
from incidentio.core.ports import Table
from incidentio.core.timeline import BrokenLink, Entry, first_broken_link

_HOURS = 12
_SETTLES = timedelta(hours=2)
"""An incident that ended is in the anchor of the hour after, or the next one."""


def verify(api: Api, incident_id: str) -> Verification:
    """Recompute every hash; then the anchor, which no one can rewrite, must name an entry that is still there."""
    incident = api.table.incident(parse_incident_id(incident_id))
    entries = _readable(api.table, incident.id)
    if len(entries) > incident.timeline_seq:  # one was appended between the two reads, or behind our back
        counted = api.table.incident(incident.id).timeline_seq
        entries = entries[: incident.timeline_seq] if counted > incident.timeline_seq else entries
    broken = first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash)
    newest = api.clock() if incident.is_open or not entries else min(api.clock(), entries[-1].at + _SETTLES)
    anchor = latest_anchor(api.archive, incident.id, newest)
    if broken is None and anchor is not None:
        broken = _differs(entries, anchor)
    return Verification(ok=broken is None, entries=len(entries), broken=broken, anchor=anchor)


def _readable(table: Table, incident_id: str) -> Sequence[Entry]:
    """The timeline, up to where something stands in it that no version of ours wrote."""
    try:
        return table.timeline(incident_id)
    except Damaged as damaged:
        return table.timeline(incident_id, limit=damaged.details["readable"]) if damaged.details["readable"] else []


def latest_anchor(archive: Archive, incident_id: str, newest: datetime) -> AnchorView | None:
    """The newest anchor that names the incident, of the twelve hours up to `newest`."""
    for key in _keys(newest):
        raw = archive.get(key)
        named: dict[str, Any] | None = json.loads(raw)["incidents"].get(incident_id) if raw else None
        if named:
            return AnchorView(key=key, seq=named["seq"], head_hash=named["head_hash"])
    return None


def _keys(newest: datetime) -> Iterator[str]:
    for hours in range(_HOURS):
        yield anchor_key(newest - timedelta(hours=hours))


def _differs(entries: Sequence[Entry], anchor: AnchorView) -> BrokenLink | None:
    if anchor.seq > len(entries):
        return BrokenLink(seq=len(entries) + 1, why=f"the anchor {anchor.key} knows entries up to {anchor.seq}")
    if entries[anchor.seq - 1].hash != anchor.head_hash:
        return BrokenLink(seq=anchor.seq, why=f"is not what the anchor {anchor.key} names: it was rewritten")
    return None
