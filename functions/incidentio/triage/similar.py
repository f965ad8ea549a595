"""Past incidents like this one, and what fixed them then."""

from collections.abc import Iterable, Sequence

from incidentio.core.filed import Filed
from incidentio.core.incident import Incident, Status
from incidentio.core.ports import Table
from incidentio.core.redaction import redact
from incidentio.core.situation import Similar
from incidentio.core.timeline import Entry
from incidentio.triage.retrieval import Collection

LISTED = 3
_READ = 30
_LEAST = 40
_SAME_ALARM = 25
_LAST_ENTRIES = 60
_WORDS = 6


def similar(mine: Filed, past: Sequence[Filed], table: Table) -> tuple[Similar, ...]:
    """At most three that are over, the most like first.

    The score is 100 times the share of BM25 (`triage.retrieval`), and 25 more for the same alarm; below 40 it is no
    likeness. At most thirty incidents are read to see how they ended: in an outage many that are like it are open.
    """
    others = [entry for entry in past if entry.id != mine.id]
    found: list[Similar] = []
    for entry, score, why in _scored(mine, others)[:_READ]:
        incident = table.incident(entry.id)
        if incident.is_open or incident.status is Status.MERGED:
            continue
        found.append(
            Similar(
                incident_id=entry.id,
                title=redact(incident.title, limit=120),
                service=incident.service,
                at=entry.at,
                score=score,
                why=why,
                fixed_by=redact(what_fixed(incident, table), limit=300),
            )
        )
        if len(found) == LISTED:
            break
    return tuple(found)


def _scored(mine: Filed, others: Sequence[Filed]) -> list[tuple[Filed, int, str]]:
    scored = []
    for match in Collection([entry.text for entry in others]).matches(mine.text):
        entry = others[match.at]
        same = bool(mine.alarm) and entry.alarm == mine.alarm
        score = min(100, round(100 * match.score) + _SAME_ALARM * same)
        if score >= _LEAST:
            why = f"words in common: {', '.join(match.words[:_WORDS])}"
            scored.append((entry, score, f"the same alarm; {why}" if same else why))
    return sorted(scored, key=lambda found: (-found[1], -found[0].at.timestamp()))


def what_fixed(incident: Incident, table: Table) -> str:
    """The playbook that succeeded, and what the person who resolved it noted."""
    if incident.status is Status.CANCELLED:
        return f"nothing to fix: cancelled as {incident.resolution_reason or 'no incident'}"
    said = []
    if incident.runs:
        runs = [body for _, body in table.query(f"INC#{incident.id}", "RUN#")]
        helped = [f"{r['playbook']} {r['version']}" for r in runs if r.get("outcome") == "succeeded"]
        said += [f"playbook {name}" for name in dict.fromkeys(helped)]
    after = max(0, incident.timeline_seq - _LAST_ENTRIES)
    if note := _note(table.timeline(incident.id, after=after)):
        said.append(note)
    if incident.resolution_reason:
        said.append(f"reason: {incident.resolution_reason}")
    return "; ".join(said)


def _note(entries: Iterable[Entry]) -> str:
    """What was noted last when it was resolved or mitigated by a person; else how it ended."""
    noted = ""
    for entry in entries:
        if entry.type in ("IncidentResolved", "IncidentMitigated"):
            if entry.data.get("note"):
                noted = str(entry.data["note"])
            elif not noted and entry.type == "IncidentResolved":
                noted = entry.text
    return noted
