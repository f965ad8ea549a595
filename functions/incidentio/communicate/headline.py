"""The one line a phone shows."""

import re

from incidentio.communicate.pages import FORGOTTEN, Page
from incidentio.core.incident import Incident
from incidentio.core.signal import Kind

SUBJECT_LIMIT = 100
_NUMBER = r"-?\d{1,20}(?:\.\d{1,20})?(?:E-?\d{1,3})?"
_THRESHOLD = re.compile(
    rf"\[(?P<value>{_NUMBER}) [^\]]*\][^\[]*? (?P<how>greater than or equal to|greater than"
    rf"|less than or equal to|less than) the threshold \((?P<limit>{_NUMBER})\)",
    re.ASCII,
)
"""CloudWatch's `NewStateReason` of a metric alarm with a fixed threshold."""
_SIGNS = {
    "greater than or equal to": ">=",
    "greater than": ">",
    "less than or equal to": "<=",
    "less than": "<",
}
_SAID = {
    "IncidentReopened": "again",
    "ImpactReturned": "impact is back",
    "SeverityChanged": "severity changed",
    "IncidentMitigated": "mitigated",
    "IncidentResolved": "resolved",
    "IncidentCancelled": "cancelled",
    "IncidentMerged": "merged",
    "StormEnded": "the storm is over and nobody has what is left",
    "ApprovalRequested": "needs your approval",
    "ApprovalEscalated": "STILL needs approval",
    "ManualStepRequested": "needs your hands",
    "PlaybookSucceeded": "playbook succeeded",
    "PlaybookHeld": "playbook stopped where it is",
    "PlaybookRefused": "playbook refused",
    "PlaybookRolledBack": "playbook failed and was rolled back",
    "RollbackFailed": "ROLLBACK FAILED",
    "ForeignChangeFound": "left alone: changed by somebody else",
    "UndoLeftToPeople": "PART OF IT STAYS until a person undoes it",
    "IncidentLinked": "is linked with another incident",
    "TriageOverdue": "not triaged in time",
    FORGOTTEN: "acknowledged, and nobody works on it",
}


def headline(incident: Incident, page: Page, reason: str, suspect: str = "") -> str:
    """`SEV2 checkout Errors 12>5, deploy 6 min ago, INC-7K3F9A`, where there is a `suspect` to name.

    At most 100 printable ASCII characters on one line (SNS's rule); the middle gives way, never the id."""
    drill = "" if incident.kind is Kind.REAL else f"[{incident.kind.value.upper()}] "
    start = f"{drill}{incident.severity.value} {_plain(incident.service or incident.subject.alarm_name)}".rstrip()
    late_no_more = page.event == "TriageOverdue" and incident.triaged_as != "overdue"
    said = "" if late_no_more else _SAID.get(page.event, "")
    what = short_reason(incident, reason)
    details = [what, suspect, said] if page.call else [said, what]
    if page.n > 1 and page.event != FORGOTTEN:
        details.insert(0, f"page {page.n}, not acknowledged")
    end = f", {incident.id}"
    middle = ", ".join(_plain(d) for d in details if d)
    room = SUBJECT_LIMIT - len(end)
    line = f"{start} {middle}" if middle else start
    if len(line) > room:
        line = line[: room - 3].rstrip(" ,") + "..."
    return line + end


def short_reason(incident: Incident, reason: str) -> str:
    """`Errors 12>5` from CloudWatch's sentence; else the title without the words that stand before it."""
    found = _THRESHOLD.search(reason)
    if found:
        value, limit = _number(found["value"]), _number(found["limit"])
        return f"{incident.subject.metric} {value}{_SIGNS[found['how']]}{limit}".strip()
    title = incident.title
    for word in (incident.service, incident.subject.alarm_name):
        rest = title[len(word) :] if word and title.lower().startswith(word.lower()) else ""
        if rest and not rest[0].isalnum():
            return rest.strip(" :-_")
    return "" if title in (incident.service, incident.subject.alarm_name) else title


def _number(text: str) -> str:
    return f"{float(text):.4g}"


def _plain(text: str) -> str:
    """Printable ASCII on one line; what has no ASCII form is a question mark."""
    ascii_only = text.replace("→", "->").encode("ascii", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in ascii_only).split())
