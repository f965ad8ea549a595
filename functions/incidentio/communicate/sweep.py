"""The look every minute: incidents nobody triaged, calls that were lost, pages nobody acknowledged."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidentio.aws.observability import told
from incidentio.communicate.calls import next_repeat, reminder, repeat_seconds
from incidentio.communicate.entries import quiet_over
from incidentio.communicate.pages import Page, pages_of
from incidentio.communicate.plan import Nobody
from incidentio.communicate.tell import Outcome, Teller, signal_reason
from incidentio.core.amend import amend
from incidentio.core.deadlines import ack_due, quiet_due, repeat_due, told_due, triage_due
from incidentio.core.duration import format_duration
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Key, Put, Record, Refused
from incidentio.core.quiet import Quiets, held, let_go
from incidentio.core.redaction import redact
from incidentio.core.routing import Routing
from incidentio.core.severity import Severity, worst
from incidentio.core.turns import in_turn, stopped_at

BEAT = Key("BEAT", "communicate")
BUDGET = timedelta(seconds=15)
"""Of the function's 30 s, what came in the same delivery included. What is left is due at the next look."""


@dataclass(frozen=True)
class Swept:
    """What one sweep did: incident id → what was done, and → what failed; for `left` more there was no time."""

    done: dict[str, list[Outcome]]
    failed: dict[str, str]
    left: int = 0


def covered(teller: Teller, asked_at: datetime) -> bool:
    """Whether a look that began after `asked_at` has seen everything.

    Looks are asked for every minute, whether or not the queue gets on: those that wait must not each be done once it
    does, while news waits behind them.
    """
    beat = teller.table.get(BEAT) or {}
    return bool(beat.get("whole")) and datetime.fromisoformat(beat["at"]) >= asked_at


def sweep(teller: Teller, since: datetime | None = None) -> Swept:
    """Look at every incident whose time has come; one that fails does not stop the others.

    Where the budget, counted from `since`, is spent, at one incident at least.
    """
    quiets = teller.quiets()
    waiting = held(teller.table)
    holding = {quiet.id for quiet in quiets.holding}
    woken = [incident_id for incident_id, quiet_id in waiting.items() if quiet_id not in holding]
    done: dict[str, list[Outcome]] = {}
    failed: dict[str, str] = {}
    due = in_turn(teller.table, BEAT.sk, [*teller.table.due(quiets.at), *woken])
    left = 0
    for position, incident_id in enumerate(due):
        if position and teller.clock() - (since or quiets.at) > BUDGET:
            teller.table.write(stopped_at(BEAT.sk, incident_id))
            left = len(due) - position
            break
        try:
            did = []
            if incident_id in woken:
                did += _woken(incident_id, waiting[incident_id], teller, quiets)
            if did := did + _look(incident_id, teller, quiets):
                done[incident_id] = did
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are looked at; it stays due
            failed[incident_id] = told(error).get("detail") or type(error).__name__
    teller.table.write(Put(Record(BEAT, {"at": iso(quiets.at), "whole": not failed and not left})))
    return Swept(done, failed, left)


def _woken(incident_id: str, quiet_id: str, teller: Teller, quiets: Quiets) -> list[Outcome]:
    """What it waited for holds no more: it ended, was ended, or left the catalogue; an inhibition may still hold."""
    incident = teller.table.incident(incident_id)
    quiets = teller.quiets_of(incident, quiets)
    if quiets.inhibition and quiets.inhibition.id == quiet_id:
        return []
    did = _released(incident, quiet_id, teller, quiets)
    with suppress(Refused):
        teller.table.write(let_go(incident_id, quiet_id))
    return did


def _released(incident: Incident, quiet_id: str | None, teller: Teller, quiets: Quiets) -> list[Outcome]:
    """Tell what waited, unless another silence or window holds it back now."""
    if quiets.over(incident) is None:
        amend(teller.table, incident.id, lambda current: quiet_over(current, quiet_id, at=quiets.at))
    return [teller.settle(incident.id)]


def _look(incident_id: str, teller: Teller, quiets: Quiets) -> list[Outcome]:
    routing, now = teller.bundle.catalog.routing, quiets.at
    incident = teller.table.incident(incident_id)
    quiets = teller.quiets_of(incident, quiets)
    did = []
    if _passed(triage_due(incident, routing), now):
        reason = signal_reason(incident, teller.table)
        incident = amend(teller.table, incident_id, lambda current: overdue(current, reason, routing, now))
        did.append(teller.settle(incident_id))
    elif _passed(told_due(incident, routing), now):
        did.append(teller.settle(incident_id))
    elif _passed(quiet_due(incident), now):
        did += _released(incident, None, teller, quiets)
        incident = teller.table.incident(incident_id)
    if _passed(repeat_due(incident), now):
        did += _repeated(incident, teller, quiets)
    if _passed(ack_due(incident, routing), now):
        did += _reminded(incident, teller, quiets)
    return did


def overdue(incident: Incident, reason: str, routing: Routing, at: datetime) -> Change | None:
    """Triage is broken or late: count it as at least SEV2 and go on. None when triage was faster."""
    if not _passed(triage_due(incident, routing), at) or not incident.is_open:
        return None
    waited = format_duration(routing.triage_timeout)
    severity = incident.severity if incident.severity_set else worst([incident.severity, Severity.SEV2])
    said = f" ({reason.rstrip('.')})" if reason else ""
    name = incident.subject.alarm_name
    what = f"Alarm {name} fired" if name else incident.title
    because = f"triage did not come within {waited}, so it counts as {severity.value} until somebody knows better"
    return recorded(
        incident,
        "TriageOverdue",
        actor=SYSTEM,
        at=at,
        text=because,
        data={"waited": waited, "severity": severity.value},
        lifecycle=True,
        triaged_at=at,
        triaged_as="overdue",
        severity=severity,
        why=redact(f"{what}{said}; {because}.", limit=600),
    )


def _repeated(incident: Incident, teller: Teller, quiets: Quiets) -> list[Outcome]:
    routing = teller.bundle.catalog.routing
    if due := next_repeat(incident, pages_of(incident.id, teller.table), routing, quiets):
        return _called(incident, due, teller)
    if repeat_seconds(incident, routing) != incident.repeat_seconds:
        amend(teller.table, incident.id, lambda current: _repeats_otherwise(current, routing, quiets.at))
        return [Outcome("nobody", "it does not repeat any more, or less often")]
    return []


def _reminded(incident: Incident, teller: Teller, quiets: Quiets) -> list[Outcome]:
    due = reminder(incident, pages_of(incident.id, teller.table), teller.bundle.catalog.routing, quiets)
    return _called(incident, due, teller) if due else []


def _called(incident: Incident, due: Page | Nobody, teller: Teller) -> list[Outcome]:
    if isinstance(due, Nobody):
        teller.record_nobody(incident, due)
        return [Outcome("nobody", due.reason)]
    return [Outcome("published", due.page_id)] if teller.deliver(incident, due) else []


def _repeats_otherwise(incident: Incident, routing: Routing, at: datetime) -> Change | None:
    """Severity, environment or routing changed after the last call, which said when the next one would come."""
    before, now = incident.repeat_seconds, repeat_seconds(incident, routing)
    if not before or now == before:
        return None
    if now:
        rare, often = (format_duration(timedelta(seconds=seconds)) for seconds in (now, before))
        what = f"not told again yet: it repeats every {rare} now, not every {often}"
    else:
        what = f"nobody is told again: as {incident.severity.value} in {incident.environment} it does not repeat"
    return recorded(
        incident,
        "NotificationSkipped",
        actor=SYSTEM,
        at=at,
        text=what,
        data={"code": "later_repeat" if now else "no_repeat"},
        repeat_seconds=now,
    )


def _passed(due: datetime | None, now: datetime) -> bool:
    return due is not None and due <= now
