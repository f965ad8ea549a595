"""What happens next without anybody, and what does not happen unless somebody decides."""

from collections.abc import Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from incidentio.communicate.calls import repeat_seconds
from incidentio.communicate.pages import FORGOTTEN, Page
from incidentio.core.bundle import Bundle
from incidentio.core.duration import format_duration
from incidentio.core.incident import Incident, Status

if TYPE_CHECKING:
    from incidentio.core.playbook import Playbook

_OVER = frozenset({Status.RESOLVED, Status.CLOSED, Status.CANCELLED, Status.MERGED})

_DECISIONS = {
    "RollbackFailed": "Put it back by hand: the rollback failed, and the playbook's commands.md has the commands.",
    "ForeignChangeFound": "Decide which value is right: somebody else changed it meanwhile, so it was left alone.",
    "PlaybookRolledBack": "Find another way: the playbook did not help, and what it changed was put back.",
    "ManualStepRequested": "Do it, or say that it is not done: a playbook stands still until then.",
    "UndoLeftToPeople": "Undo by hand what can still be undone: the playbook could not give all of it back.",
    "IncidentMitigated": "Resolve it when the cause is gone.",
}


def what_automation_does(incident: Incident, page: Page, bundle: Bundle) -> list[str]:
    """Sentences, most urgent first."""
    if incident.status in _OVER:
        given_back = "Borrowed changes are given back now." if incident.open_leases else ""
        return [given_back] if given_back else ["Nothing: it is over."]
    lines = _playbooks(incident, bundle)
    recovery = bundle.catalog.routing.recovery
    settled = recovery.action(incident.severity)
    outcome = "it becomes mitigated and paging stops; a person resolves" if settled == "mitigate" else "it resolves"
    if incident.subject.alarm_name:
        lines.append(f"Once every signal has been ok for {format_duration(recovery.stable_for)}, {outcome}.")
    every = repeat_seconds(incident, bundle.catalog.routing)
    if page.call and every and incident.status is Status.TRIGGERED:
        lines.append(f"This repeats every {format_duration(timedelta(seconds=every))} until somebody acknowledges it.")
    return lines


def decision_needed(incident: Incident, page: Page, data: Mapping[str, Any]) -> list[str]:
    """The one thing the reader has to decide; empty when it is only news."""
    if page.event in ("ApprovalRequested", "ApprovalEscalated"):
        return _approval(data)
    if page.event in _DECISIONS:
        return [_DECISIONS[page.event]]
    if page.call and incident.status is Status.TRIGGERED:
        proposed = f"; then decide whether to run {' or '.join(incident.proposed)}" if incident.proposed else ""
        return [f"Acknowledge it, so that others know somebody has it{proposed}."]
    if page.event == FORGOTTEN:
        return ["Say what is being done (a note is enough), hand it over, or resolve it."]
    return ["Look whether what was done so far is still enough."] if page.call else []


def _playbooks(incident: Incident, bundle: Bundle) -> list[str]:
    if incident.hands_off:
        return ["Nothing: hands-off is on for this incident."]
    if incident.triaged_as == "overdue":
        return ["Not known yet: triage, which looks for playbooks that fit, has not answered."]
    service = bundle.catalog.services.get(incident.service or "")
    auto = service.automation.auto if service else ()
    lines, waiting = [], []
    for name in incident.proposed:
        playbook = bundle.playbooks.get(name)
        if playbook is None:
            continue
        if playbook.risk.may_start_itself and any(fnmatchcase(name, pattern) for pattern in auto):
            stops = "a switch, a gate or a rehearsal that is due stops it"
            lines.append(f"{name} starts by itself now ({playbook.risk.value}), unless {stops}.")
        else:
            waiting.append(f"{name} ({_terms(playbook)})")
    if waiting:
        lines.append(f"Fits, and starts only when a person asks: {', '.join(waiting)}.")
    return lines or ["No playbook fits: nothing is changed by itself."]


def _terms(playbook: "Playbook") -> str:
    count = playbook.risk.approvals
    needs = "no approval needed" if not count else "one approval" if count == 1 else f"approval by {count} people"
    return f"{playbook.risk.value}, {needs}"


def _approval(data: Mapping[str, Any]) -> list[str]:
    playbook, target, until = data.get("playbook"), data.get("target"), data.get("expires_at")
    targets = data.get("targets") or ([target] if target else [])
    name = ", ".join(str(each).split("|", 3)[-1] for each in targets)
    what = f"{playbook or 'a playbook'}{f' on {name}' if name else ''}"
    if reason := data.get("break_glass"):
        return [f"Look at it now: {data.get('requester')} started {what} without approval ({reason})."]
    lines = [f"Approve or reject {what}{f' before {until}' if until else ''}. Who asked for it does not count."]
    if note := data.get("note"):
        lines.append(str(note))
    return lines
