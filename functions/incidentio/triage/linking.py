"""Incidents of services that depend on each other, opened at about the same time, know of each other.

They stay incidents of their own, each with its owner: linking tells, it never swallows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from incidentio.core.amend import amend
from incidentio.core.catalog import Catalog
from incidentio.core.errors import NotFound
from incidentio.core.filed import Filed
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Table
from incidentio.core.redaction import redact
from incidentio.core.signal import Kind, Mode

MAX_RELATED = 10
"""Links an incident has at most: one that hits everything has a storm, not a list."""


@dataclass(frozen=True)
class Link:
    """The other incident as it was, and why the two belong together."""

    other: Incident
    why: str


def may_be_linked(incident: Incident) -> bool:
    """Live and open: who watches an alarm without being paged is not to page others, and a drill concerns nobody."""
    return incident.is_open and incident.mode is Mode.LIVE and incident.kind is Kind.REAL


def linked_others(
    mine: Incident, filed: Sequence[Filed], *, table: Table, catalog: Catalog, window: timedelta, at: datetime
) -> tuple[Link, ...]:
    """Link the others to `mine`, in commits of their own; `mine` is linked by who asked.

    Both were filed before either looked, so of two that open at the same moment at least one sees the other.
    """
    links: list[Link] = []
    for entry in sorted(filed, key=lambda e: e.at, reverse=True):
        known = len(mine.related) + len(links) >= MAX_RELATED
        if known or abs(entry.at - mine.detected_at) > window or entry.id == mine.id:
            continue
        if link := _linked(mine, entry.id, table, catalog, at):
            links.append(link)
    return tuple(links)


def _linked(mine: Incident, other_id: str, table: Table, catalog: Catalog, at: datetime) -> Link | None:
    def decide(other: Incident) -> Change | None:
        why = catalog.relation(mine.service, other.service)
        if not why or not may_be_linked(other) or mine.id in other.related or len(other.related) >= MAX_RELATED:
            return None
        return linking(other, Link(mine, why), at)

    try:
        other = amend(table, other_id, decide)
    except NotFound:
        return None
    why = catalog.relation(mine.service, other.service)
    return Link(other, why) if why and mine.id in other.related else None


def linking(incident: Incident, link: Link, at: datetime) -> Change:
    """`incident` knows of `link.other` from here on. Its version does not move: nothing of its own changed."""
    other = link.other
    return recorded(
        incident,
        "IncidentLinked",
        actor=SYSTEM,
        at=at,
        text=redact(
            f"linked with {other.id} ({other.service}, {other.severity.value}: {other.title}): {link.why}", limit=500
        ),
        data={
            "incident_id": other.id,
            "service": other.service,
            "severity": other.severity.value,
            "title": other.title,
            "why": link.why,
        },
        related=(*incident.related, other.id),
    )
