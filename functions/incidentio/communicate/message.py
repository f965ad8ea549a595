"""One notice as subject, text and attributes: what a person woken at 3 a.m. reads, in the order it is needed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from incidentio.communicate.background import Background
from incidentio.communicate.commands import commands
from incidentio.communicate.findings import findings, suspected
from incidentio.communicate.headline import headline
from incidentio.communicate.outlook import decision_needed, what_automation_does
from incidentio.communicate.pages import FORGOTTEN, Page
from incidentio.core.bundle import Bundle
from incidentio.core.console import console_links
from incidentio.core.incident import Incident
from incidentio.core.redaction import redact

BODY_LIMIT = 64 * 1024
_ATTRIBUTE = re.compile(r"[^\w .:/@+=-]")


@dataclass(frozen=True)
class Context:
    """What stands behind a notice. `text` and `data` are those of its timeline entry; `background` what it quotes."""

    incident: Incident
    page: Page
    bundle: Bundle
    api_url: str
    background: Background = field(default_factory=Background)
    text: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """`subject` fits SNS's rule, `body` is plain text, `attributes` are for subscription filter policies."""

    subject: str
    body: str
    attributes: dict[str, str]


def message(context: Context) -> Message:
    """Pure and deterministic; all text from outside is on one line each, redacted and quoted where it can be pasted."""
    incident, page = context.incident, context.page
    at = page.claimed_at or incident.detected_at
    situation = context.background.situation
    line = headline(incident, page, context.background.reason, suspected(situation, page.claimed_at))
    known = findings(incident, context.background, context.bundle.catalog, at) if page.call else []
    sections = [
        line,
        _section("Why you were paged" if page.call else "What happened", _why(context)),
        _section("What is known", known),
        _section("What automation does next", what_automation_does(incident, page, context.bundle)),
        _section("What is needed from you", decision_needed(incident, page, context.data)),
        _section("Commands to paste", commands(incident, page, context.data)),
        _section("Links", _links(context)),
        f"{page.page_id} (a message with the same id is the same message)",
    ]
    body = "\n\n".join(section for section in sections if section) + "\n"
    return Message(subject=line, body=redact(body, limit=BODY_LIMIT, multiline=True), attributes=_attributes(context))


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {_one_line(line)}" for line in lines)]) if lines else ""


def _why(context: Context) -> list[str]:
    incident, page, reason = context.incident, context.page, context.background.reason
    lines = []
    if page.event == FORGOTTEN and incident.acknowledged_at:
        since = max(at for at in (incident.acknowledged_at, incident.worked_at) if at)
        lines.append(f"It was acknowledged, and nobody has worked on it since {since:%H:%M:%S} UTC.")
    elif page.n > 1 and incident.first_paged_at:
        lines.append(f"This is page {page.n}: nobody has acknowledged it since {incident.first_paged_at:%H:%M:%S} UTC.")
    if not page.call and context.text:
        lines.append(f"{context.text[:1].upper()}{context.text[1:]}")
    opened = incident.why or f"{incident.title}{f': {reason}' if reason else ''}"
    lines.append(opened if page.call else f"It is about: {opened}")
    if incident.blast_radius and not incident.why:
        lines.append(f"Services that depend on it: {', '.join(incident.blast_radius)}.")
    return lines


def _links(context: Context) -> list[str]:
    incident = context.incident
    service = context.bundle.catalog.services.get(incident.service or "")
    base = f"{context.api_url.rstrip('/')}/incidents/{incident.id}"
    lines = [f"{base} (signed with SigV4: the commands above do that)", f"{base}/timeline"]
    if service and service.runbook:
        lines.append(f"runbook: {service.runbook}")
    traces = context.background.situation.traces.get("xray_trace_id", ())
    until = context.page.claimed_at or incident.detected_at
    found = console_links(incident.subject, since=incident.impact_started_at, until=until, traces=traces)
    return lines + [f"{name}: {url}" for name, url in found.items()]


def _attributes(context: Context) -> dict[str, str]:
    incident, page = context.incident, context.page
    return {
        "severity": incident.severity.value,
        "service": _attribute(incident.service or "unknown"),
        "environment": _attribute(incident.environment),
        "status": incident.status.value,
        "kind": incident.kind.value,
        "incident_id": incident.id,
        "page_id": page.page_id,
        "event": page.event,
    }


def _attribute(text: str) -> str:
    """SNS filter policies match these literally; odd characters would only make them unmatchable."""
    return _ATTRIBUTE.sub("_", text)[:256] or "unknown"


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
