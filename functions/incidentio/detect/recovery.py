"""What has been so for long enough: every signal is ok, nothing flaps, or what inhibited others is ok."""

from dataclasses import replace
from datetime import datetime, timedelta

from incidentio.aws.observability import log, told
from incidentio.core.amend import Decision, amend
from incidentio.core.archive import anchor_due
from incidentio.core.deadlines import recovery_due
from incidentio.core.duration import format_duration
from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.lifecycle import mitigate, resolve
from incidentio.core.members import closing
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Clock, Table
from incidentio.core.routing import Routing
from incidentio.core.storm import SOURCE
from incidentio.core.turns import in_turn, stopped_at
from incidentio.detect.storm import waiting

_SWEEP = "recovery"
_BUDGET = timedelta(seconds=30)
"""Of a sweep's minute. After a storm thousands may be due; those left are due at the next one."""


def recover(table: Table, routing: Routing, now: datetime, clock: Clock | None = None) -> tuple[int, int]:
    """Move every recovered incident on, as far as time goes. Returns how many moved, and how many could not be now."""
    moved = failed = 0
    due = in_turn(table, _SWEEP, table.due(now))
    for position, incident_id in enumerate(due):
        if position and clock and clock() - now > _BUDGET:
            table.write(stopped_at(_SWEEP, incident_id))
            log("out of time, the rest is for the next sweep", level="WARNING", left=len(due) - position)
            break
        try:
            before = table.incident(incident_id)
            if not _is_due(before, routing, now):
                continue
            after = amend(table, incident_id, lambda incident: _moved_on(table, incident, routing, now))
        except NotFound:
            continue
        except Exception as error:  # noqa: BLE001 - one incident never holds up the others; it stays due
            failed += 1
            log("not recovered", level="ERROR", incident_id=incident_id, **told(error))
            continue
        if after == before:
            continue
        moved += 1
        log("recovered", incident_id=incident_id, status=after.status.value, severity=after.severity.value)
    return moved, failed


def _is_due(incident: Incident, routing: Routing, now: datetime) -> bool:
    """Whether it has recovered, has stopped flapping, or inhibits nothing any more."""
    waits = (recovery_due(incident, routing), incident.flapping_until, incident.released_at)
    return incident.is_open and any(_passed(at, now) for at in waits)


def _passed(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _moved_on(table: Table, incident: Incident, routing: Routing, now: datetime) -> Decision:
    """What flapped has been quiet, what inhibited others is ok; and perhaps it has recovered at that."""
    if not _is_due(incident, routing, now):
        return None
    so_far = Change(incident, (), incident.timeline_seq)
    if _passed(incident.flapping_until, now):
        so_far = so_far.recorded(
            "FlappingEnded",
            actor=SYSTEM,
            at=now,
            text="no signal changed its state for long enough: it does not flap any more",
            data={"flapping_since": iso(incident.flapping_since or now)},
            flapping_since=None,
            flapping_until=None,
        )
    if _passed(incident.released_at, now):
        stable = format_duration(routing.recovery.stable_for)
        so_far = so_far.recorded(
            "InhibitionEnded",
            actor=SYSTEM,
            at=now,
            text=f"a signal has been ok for {stable}: whatever nothing inhibits any more is told of by itself",
            released_at=None,
        )
    recovered = _passed(recovery_due(so_far.incident, routing), now)
    more = _recovered(table, so_far.incident, routing, now) if recovered else None
    if more is None:
        return so_far if so_far.entries else None
    change, writes = more if isinstance(more, tuple) else (more, ())
    return Change(change.incident, so_far.entries + change.entries, so_far.expected_seq), writes


def _recovered(table: Table, incident: Incident, routing: Routing, now: datetime) -> Decision:
    """Not as long as it is the one that is told and repeated for children that nobody has."""
    if incident.source == SOURCE and next(waiting(incident.id, table), None):
        return None
    why = f"every signal has been ok for {format_duration(routing.recovery.stable_for)}"
    if routing.recovery.action(incident.severity) == "resolve":
        change = resolve(incident, actor=SYSTEM, at=now, note=why)
        return change, [*closing(table, change.incident), anchor_due(incident.id, now)]
    if incident.status is Status.MITIGATED:
        text = f"{why}; it is mitigated already, and a person resolves a {incident.severity.value}"
        return recorded(incident, "NoteAdded", actor=SYSTEM, at=now, text=text, ok_since=None)
    change = mitigate(incident, actor=SYSTEM, at=now, note=why)
    return replace(change, incident=change.incident.model_copy(update={"ok_since": None}))
