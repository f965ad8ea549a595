"""A postmortem as Markdown. Whatever came from outside is text in it and nothing else.

Escaping follows CommonMark (https://spec.commonmark.org/0.31.2/#backslash-escapes) and what GitHub
adds to it: tables, bare links, mentions, formulas.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.archive import TO_FILL_IN
from incidentio.core.duration import format_duration
from incidentio.learn.postmortem import Postmortem, RunFacts

_ACTIVE = re.compile(r"[\\`*_\[\]{}#|~!$^]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_ENTITY = re.compile(r"[&<>@]")
_BARE_LINK = re.compile(r"(?i)(://|\bwww\.|\b(?:mailto|xmpp|javascript|data):)")
_BLANKS = re.compile(r"\s+")


def inert(text: object) -> str:
    """`text` on one line, showing exactly its characters wherever it is put inside a line or a table cell."""
    line = _BLANKS.sub(" ", str(text)).strip()
    line = _ACTIVE.sub(lambda m: "\\" + m[0], line)
    line = _ENTITY.sub(lambda m: _ENTITIES[m[0]], line)
    return _BARE_LINK.sub(lambda m: m[0].replace(":", "&#58;").replace(".", "&#46;"), line)


def render(postmortem: Postmortem) -> str:
    """The draft: what happened is filled in, what it means is left to people."""
    return "\n".join(_lines(postmortem)) + "\n"


def _lines(p: Postmortem) -> Iterator[str]:
    marked = "" if p.kind == "real" else f" ({p.kind})"
    yield f"# Postmortem {p.incident_id}{marked}: {inert(p.title)}"
    yield ""
    yield f"Draft of {_moment(p.drafted_at)}, written from the timeline. Complete the parts marked *to fill in*, then"
    yield f"review it: `incidentio postmortem review {p.incident_id} --file FILE`."
    yield ""
    yield "## Summary"
    yield ""
    yield inert(p.summary)
    yield ""
    yield from _impact(p)
    yield from _findings(p)
    yield from _clocks(p)
    yield from _runs(p)
    yield from _timeline(p)
    yield "## Contributing factors"
    yield ""
    yield f"{TO_FILL_IN}: what made this possible, what made it worse, what made it shorter. Conditions, not people.*"
    yield ""
    yield "- "
    yield ""
    yield "## Action items"
    yield ""
    yield f"{TO_FILL_IN}.*"
    yield ""
    yield from _table(["What", "Owner", "Due"], [["", "", ""]])


def _impact(p: Postmortem) -> Iterator[str]:
    impact = p.impact
    yield "## Impact"
    yield ""
    yield f"- Service: {inert(p.service or 'unknown')}, environment {inert(p.environment)}, severity {p.severity}"
    yield f"- From {_moment(impact.started_at)} to {_moment(impact.ended_at)}: {_seconds(impact.seconds)}"
    if impact.blast_radius:
        yield f"- Services that depend on it: {', '.join(inert(name) for name in impact.blast_radius)}"
    if impact.users is not None:
        yield f"- Users: {impact.users} ({_whose(impact.users_by)})"
    if impact.revenue:
        rate = f"; {inert(impact.revenue_per_minute)} a minute" if impact.revenue_per_minute else ""
        yield f"- Revenue: {inert(impact.revenue)} ({_whose(impact.revenue_by)}{rate})"
    if p.roles:
        yield "- People: " + ", ".join(
            f"{role.replace('_', ' ')} {inert(person)}" for role, person in sorted(p.roles.items())
        )
    yield ""


def _whose(source: str) -> str:
    return "as a person said" if source == "person" else "estimate from the catalogue"


def _findings(p: Postmortem) -> Iterator[str]:
    if not (p.suspects or p.related or p.similar):
        return
    yield "## What triage found"
    yield ""
    for suspect in p.suspects:
        yield f"- Suspect: {inert(suspect.sentence)} ({suspect.score} of 100: {inert(suspect.why)})"
    if p.related:
        yield f"- Linked incidents: {', '.join(inert(other) for other in p.related)}"
    for similar in p.similar:
        fixed = f"; then: {inert(similar.fixed_by)}" if similar.fixed_by else ""
        which = f"{similar.incident_id} of {similar.at:%Y-%m-%d} ({similar.score} %)"
        yield f"- Similar: {which}, {inert(similar.title)}{fixed}"
    yield ""


def _clocks(p: Postmortem) -> Iterator[str]:
    yield "## Clocks"
    yield ""
    yield from _table(
        ["Clock", "From", "To", "Took"],
        [
            ["MTTD", "impact started", "detected", _seconds(p.clocks.mttd)],
            ["MTTA", "first page sent", "acknowledged", _seconds(p.clocks.mtta)],
            ["MTTM", "detected", "mitigated", _seconds(p.clocks.mttm)],
            ["MTTR", "detected", "resolved", _seconds(p.clocks.mttr)],
        ],
    )
    yield ""


def _runs(p: Postmortem) -> Iterator[str]:
    yield "## Playbook runs"
    yield ""
    if not p.runs:
        yield "None."
    else:
        yield from _table(
            ["Playbook", "Target", "Asked by", "Approved by", "Outcome", "Changed"],
            [
                [
                    f"{inert(run.playbook)} {inert(run.version)}",
                    inert(run.target.rsplit("|", 1)[-1]),
                    inert(run.requester),
                    ", ".join(inert(who) for who in run.approved_by) or "nobody",
                    inert(run.outcome + (f": {run.reason}" if run.reason else "")),
                    _changes(run),
                ]
                for run in p.runs
            ],
        )
    yield ""


def _changes(run: RunFacts) -> str:
    changes = [
        f"{inert(step.said)} ({inert(step.status)})"
        if step.said
        else f"{inert(step.action)}: {_value(step.before)} → {_value(step.after)} ({inert(step.status)})"
        for step in run.steps
        if step.status != "pending"
    ]
    lease = f"; lease {inert(run.lease)}" if run.lease else ""
    return ("; ".join(changes) or "nothing") + lease


def _timeline(p: Postmortem) -> Iterator[str]:
    yield "## Timeline"
    yield ""
    if p.omitted:
        yield f"{p.omitted} entries in the middle are left out here: `incidentio incidents timeline {p.incident_id}`."
        yield ""
    yield from _table(
        ["UTC", "By", "What"],
        [[f"{moment.at:%Y-%m-%d %H:%M:%S}", inert(moment.actor), inert(moment.text)] for moment in p.timeline],
    )
    yield ""


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "not known"


def _seconds(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.1f} s" if value < 60 else format_duration(timedelta(seconds=value))


def _value(value: Any) -> str:
    return "not set" if value is None else inert(value)
