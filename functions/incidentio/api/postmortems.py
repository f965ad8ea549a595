"""Reading the postmortem, and settling it: reviewed under a retention lock, or waived with a reason."""

import json
from hashlib import sha256

from incidentio.api import texts
from incidentio.api.calls import Api, Call
from incidentio.api.changing import change, replayed
from incidentio.api.views import PostmortemView
from incidentio.core.amend import Decision
from incidentio.core.archive import TO_FILL_IN, anchor_due, postmortem_prefix
from incidentio.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from incidentio.core.ids import parse_incident_id
from incidentio.core.incident import Incident, Status, recorded
from incidentio.core.redaction import redact

_OVER = frozenset({Status.RESOLVED, Status.CLOSED})


def read_postmortem(api: Api, incident_id: str) -> PostmortemView:
    """The reviewed text, else the draft.

    Raises:
        NotFound: none was written (yet).
    """
    incident = api.table.incident(parse_incident_id(incident_id))
    key = incident.postmortem_key
    if key is None:
        raise NotFound(
            f"{incident.id} has no postmortem"
            + (": it was waived" if incident.postmortem == "waived" else " yet: it is drafted when it is resolved"),
            postmortem=incident.postmortem,
        )
    text = api.archive.get(key)
    if text is None:
        raise Unavailable(f"the postmortem of {incident.id} is not in the archive under {key}", key=key)
    draft = None if incident.postmortem == "reviewed" else api.archive.get(key.removesuffix(".md") + ".json")
    return PostmortemView(
        incident_id=incident.id,
        status=incident.postmortem,
        key=key,
        markdown=text.decode(),
        document=json.loads(draft) if draft else None,
    )


def review(api: Api, call: Call, incident_id: str, markdown: str) -> Incident:
    """Store the reviewed version; nobody can change it before its retention ends.

    Raises:
        TooLarge: the text.
        InvalidInput: it still holds parts the draft left to people.
        Conflict: the incident is not over.
    """
    cleaned = _document(markdown)
    incident = api.table.incident(parse_incident_id(incident_id))
    if replayed(call, incident):
        return incident
    _require_over(incident)
    _require_filled_in(cleaned)
    body = cleaned.encode()
    retention = api.retention(call.at)
    key = f"{postmortem_prefix(incident)}/reviewed.md"
    version_id = api.archive.put(key, body, content_type="text/markdown; charset=utf-8", retention=retention)
    data = {
        "key": key,
        "version_id": version_id,
        "sha256": sha256(body).hexdigest(),
        "retention_mode": retention.mode,
        "retained_until": retention.until.isoformat(),
    }

    def decide(current: Incident) -> Decision:
        _require_over(current)
        reviewed = recorded(
            current,
            "PostmortemReviewed",
            actor=call.actor,
            at=call.at,
            text=f"postmortem reviewed by {call.actor}, kept until {retention.until:%Y-%m-%d}",
            data=data,
            postmortem="reviewed",
            postmortem_key=key,
        )
        return reviewed, [anchor_due(current.id, call.at)]

    return change(api, call, incident.id, decide)


def waive(api: Api, call: Call, incident_id: str, reason: str) -> Incident:
    """Do without, and say why.

    Raises:
        InvalidInput: no reason.
        Conflict: the incident is not over, or the postmortem is reviewed already.
    """
    why = texts.required(reason, field="reason")

    def decide(current: Incident) -> Decision:
        _require_over(current)
        if current.postmortem == "reviewed":
            raise Conflict(f"the postmortem of {current.id} is reviewed already", postmortem=current.postmortem)
        waived = recorded(
            current,
            "PostmortemWaived",
            actor=call.actor,
            at=call.at,
            text=f"postmortem waived by {call.actor}: {why}",
            data={"reason": why},
            postmortem="waived",
        )
        return waived, [anchor_due(current.id, call.at)]

    return change(api, call, incident_id, decide)


def _document(markdown: str) -> str:
    limit = texts.MARKDOWN_LIMIT
    texts.refuse_over(markdown, field="markdown", limit=limit)
    return redact(markdown, limit=2 * limit, multiline=True)


def _require_filled_in(markdown: str) -> None:
    left: list[str] = []
    section = ""
    for line in markdown.splitlines():
        if line.startswith("#"):
            section = line.lstrip("#").strip()
        elif line.strip().startswith(TO_FILL_IN):
            left.append(section)
    if left:
        raise InvalidInput(
            f"the postmortem still has parts to fill in: {', '.join(left)}. Replace each line that begins "
            "with *To fill in* by what people found, or waive the postmortem with a reason",
            sections=left,
        )


def _require_over(incident: Incident) -> None:
    if incident.status not in _OVER:
        raise Conflict(
            f"{incident.id} is {incident.status.value}: its postmortem is settled once it is resolved",
            status=incident.status.value,
            version=incident.version,
        )
