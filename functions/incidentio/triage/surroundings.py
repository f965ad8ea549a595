"""Look around an incident: its service's and its neighbours' changes, open incidents and past ones.

Nothing here stops triage: what cannot be read is named in `missing`, never waited for. The reads are bounded: one query
for each of at most `NEIGHBOURS` services and what hangs on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from incidentio.core.bundle import Bundle
from incidentio.core.changes import ChangeRecord, changes_of
from incidentio.core.errors import IncidentioError
from incidentio.core.filed import Filed, filed, filed_under, filing
from incidentio.core.incident import Incident
from incidentio.core.ports import Table
from incidentio.core.signal import Kind
from incidentio.core.situation import Similar, Situation
from incidentio.triage.classify import Triage
from incidentio.triage.completeness import Known, completeness
from incidentio.triage.evidence import Evidence
from incidentio.triage.linking import Link, linked_others, may_be_linked
from incidentio.triage.similar import similar
from incidentio.triage.suspects import ranked
from incidentio.triage.traces import traces_in

NEIGHBOURS = 12
_CORPUS = 200
_RECENT = 10
_CHANGES = 50
_FED = timedelta(days=30)
"""Whoever changed nothing for so long is not told apart from who reports no changes."""

T = TypeVar("T")


@dataclass(frozen=True)
class Surroundings:
    """What was found. `links` are others that are linked to this one already."""

    situation: Situation
    links: tuple[Link, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass
class Looking:
    """One look around `incident`, which carries what triage decided of it."""

    incident: Incident
    table: Table
    bundle: Bundle
    now: datetime
    missing: list[str] = field(default_factory=list)

    def around(self, triage: Triage, evidence: Evidence) -> Surroundings:
        incident, catalog = self.incident, self.bundle.catalog
        upstream = catalog.upstream_of(incident.service)[:NEIGHBOURS] if incident.service else ()
        downstream = triage.blast_radius[: NEIGHBOURS - len(upstream)]
        mine = filed(incident, incident.service, evidence.reason)
        if incident.kind is Kind.REAL:
            self._tried("filing the incident", lambda: self.table.write(filing(mine)), None)
        past = self._filed(incident.service, _CORPUS)
        beside = [entry for name in upstream for entry in self._filed(name, _CORPUS // (len(upstream) + 1))]
        others = [*beside, *(entry for name in downstream for entry in self._filed(name, _RECENT))]
        changes = [change for name in (incident.service, *upstream) for change in self._changes(name)]
        loose = self._changes(None) if incident.service else []
        nothing: tuple[Similar, ...] = ()
        alike = self._tried(
            "looking for similar incidents",
            lambda: similar(mine, [*past, *beside][:_CORPUS], self.table),
            nothing,
        )
        traces = traces_in([h.reason for h in evidence.heard] + [v for h in evidence.heard for v in h.tags.values()])
        links = self._links(others)
        known = Known(
            service=incident.service,
            severity_said=any(h.severity or h.tag("severity") for h in evidence.heard) or bool(triage.ruling.severity),
            changes_fed=bool(changes),
            read_everything=not (triage.missing or self.missing),
        )
        score, gaps = completeness(known, catalog)
        suspects = ranked(
            [*changes, *loose],
            service=incident.service,
            environment=incident.environment,
            subject=incident.subject,
            catalog=catalog,
            impact_started_at=incident.impact_started_at,
            now=self.now,
        )
        situation = Situation(
            service=incident.service, suspects=suspects, similar=alike, traces=traces, completeness=score, gaps=gaps
        )
        return Surroundings(situation, links, tuple(self.missing))

    def _filed(self, service: str | None, limit: int) -> list[Filed]:
        return self._tried(
            f"reading the incidents of {service or 'no known service'}",
            lambda: filed_under(self.table, service, limit=limit),
            [],
        )

    def _changes(self, service: str | None) -> list[ChangeRecord]:
        since = self.incident.impact_started_at - _FED
        return self._tried(
            f"reading the changes of {service or 'no known service'}",
            lambda: changes_of(self.table, service, since=since, limit=_CHANGES),
            [],
        )

    def _links(self, others: list[Filed]) -> tuple[Link, ...]:
        if not may_be_linked(self.incident):
            return ()
        window = self.bundle.catalog.routing.link_window
        return self._tried(
            "linking related incidents",
            lambda: linked_others(
                self.incident, others, table=self.table, catalog=self.bundle.catalog, window=window, at=self.now
            ),
            (),
        )

    def _tried(self, what: str, look: Callable[[], T], instead: T) -> T:
        try:
            return look()
        except IncidentioError as error:
            self.missing.append(f"{what}: {error.message}")
            return instead
