"""What a notice may quote beside the incident: its first signal, what triage found, and incidents linked to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from incidentio.core.errors import NotFound
from incidentio.core.incident import Incident
from incidentio.core.members import member_key
from incidentio.core.ports import Table
from incidentio.core.situation import Situation, situation_from, situation_key

_RELATED = 3


@dataclass(frozen=True)
class Background:
    """`reason` is what the first signal said; `related` the newest linked incidents, as they stand now."""

    reason: str = ""
    situation: Situation = field(default_factory=Situation)
    related: tuple[Incident, ...] = ()


def background_of(incident: Incident, table: Table) -> Background:
    """One read for the records, and one for each of at most three linked incidents."""
    context = situation_key(incident.id)
    member = member_key(incident.id, incident.dedup_key) if incident.dedup_key else None
    found: Mapping[Any, Mapping[str, Any]] = table.get_many([context, *([member] if member else [])])
    said = found.get(member, {}) if member else {}
    return Background(
        reason=str(said.get("reason") or ""),
        situation=situation_from(found.get(context)) or Situation(),
        related=_related(incident, table),
    )


def _related(incident: Incident, table: Table) -> tuple[Incident, ...]:
    others = []
    for other in incident.related[-_RELATED:]:
        try:
            others.append(table.incident(other))
        except NotFound:
            continue
    return tuple(others)
