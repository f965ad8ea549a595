"""What a signal inhibited is looked at again once that has been ok for long enough: each as if it fired once more.

Some sources say a thing once, so nobody can wait for the next time they do.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.core.errors import NotFound
from incidentio.core.members import NOT_SAID, Member, left_of, members_of, pointer_key_of, pointers_of
from incidentio.core.ports import Table
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode, Signal, SignalState, Subject
from incidentio.ingest.observation import Observation

AT_ONCE = 200
"""What one delivery has time for; the rest have their turn, as what goes on being inhibited is not among them."""
_READ_AT_ONCE = 100


def released(table: Table, incident_id: str) -> tuple[list[Observation], bool]:
    """Its signals that fire and were told to nobody because of another one, and whether there are more than these.

    Those that have left it already come first: whoever was to open an incident for them may have died.
    """
    try:
        incident = table.incident(incident_id)
    except NotFound:
        return [], False
    inhibited = [m for m in members_of(table, incident_id) if m.get("inhibited")]
    members = [*left_of(table, incident_id), *inhibited]
    pointers = pointers_of(table, members)
    held = [(m, p) for m in members if _is_held(p := pointers.get(m["dedup_key"], {}), incident_id)]
    firing = _firing_in(incident_id, table, {str(p.get("inhibitor") or "") for _, p in held} - {""})
    free = [(m, p) for m, p in held if p.get("inhibitor") not in firing]
    return [_again(member, pointer, incident.kind) for member, pointer in free[:AT_ONCE]], len(free) > AT_ONCE


def _is_held(pointer: Mapping[str, Any], incident_id: str) -> bool:
    fires = pointer.get("state") == SignalState.FIRING and pointer.get("incident_id") == incident_id
    return fires and (bool(pointer.get("inhibited")) or pointer.get("apart") == incident_id)


def _firing_in(incident_id: str, table: Table, marks: set[str]) -> set[str]:
    """The marks of those signals that go on inhibiting what they inhibit there.

    What was moved elsewhere takes with it what it inhibits, and what says another severity may inhibit it no more.
    """
    keys = list({pointer_key_of(mark.partition(":")[0]) for mark in marks})
    found: set[str] = set()
    for start in range(0, len(keys), _READ_AT_ONCE):
        for key, pointer in table.get_many(keys[start : start + _READ_AT_ONCE]).items():
            belongs = pointer.get("open") or pointer.get("inhibited")
            if belongs and pointer.get("incident_id") == incident_id and pointer.get("state") == SignalState.FIRING:
                found.add(f"{key.pk.removeprefix('DEDUP#')}:{pointer.get('severity', NOT_SAID)}")
    return found & marks


def _again(member: Member, pointer: Mapping[str, Any], kind: Kind) -> Observation:
    """The signal as it was kept: redacted and bounded when it came in."""
    mode = Mode(member.get("mode", Mode.LIVE))
    severity = Severity(member["severity"]) if member.get("severity") else None

    def build(received_at: datetime) -> Signal:
        return Signal(
            source=member["source"],
            dedup_key=member["dedup_key"],
            state=SignalState.FIRING,
            changed_at=datetime.fromisoformat(pointer["fence"]),
            received_at=received_at,
            impact_started_at=datetime.fromisoformat(member["changed_at"]),
            title=member["title"],
            reason=member.get("reason", ""),
            severity=severity,
            service=member.get("service"),
            environment=member.get("environment"),
            kind=kind,
            mode=mode,
            mode_reason=member.get("mode_reason", ""),
            subject=Subject.model_validate(member.get("subject", {})),
            tags=dict(member.get("tags", {})),
        )

    return Observation(member["dedup_key"], SignalState.FIRING, pointer["fence"], mode, build, severity)
