"""How much of what triage would like to know it knew: 0 to 100, and for each gap what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from incidentio.core.catalog import Catalog, Impact, Service
from incidentio.core.situation import Gap

_SERVICES = "infra/catalog/services.yaml"


@dataclass(frozen=True)
class Known:
    """Beside the catalogue. `changes_fed`: a change of the service or its dependencies was told in the last 30 days."""

    service: str | None
    severity_said: bool
    changes_fed: bool
    read_everything: bool


def completeness(known: Known, catalog: Catalog) -> tuple[int, tuple[Gap, ...]]:
    """100 without the weight of every gap; the heaviest gap first."""
    gaps = sorted(_gaps(known, catalog), key=lambda gap: -gap[0])
    return 100 - sum(weight for weight, _ in gaps), tuple(gap for _, gap in gaps)


def _gaps(known: Known, catalog: Catalog) -> Iterator[tuple[int, Gap]]:
    listed = catalog.services.get(known.service or "")
    service, name = listed or Service(), known.service or ""
    here = f"services.{name or '<name>'} in {_SERVICES}"
    if listed is None:
        yield 25, _gap("service", f"describe {name or 'the service'} in {_SERVICES}, with its alarms under match")
    if not service.owner:
        yield 15, _gap("owner", f"add owner to {here}")
    if not service.runbook:
        yield 15, _gap("runbook", f"add runbook to {here}")
    if not known.changes_fed:
        yield 15, _gap("change feed", "no change of it was told in 30 days: report deploys with POST /deploys")
    if not service.depends_on and not catalog.downstream_of(name):
        yield 10, _gap("dependencies", f"add depends_on to {here}, or name it in that of what needs it")
    if service.impact == Impact():
        yield 10, _gap("impact", f"add impact to {here}")
    if not known.severity_said and service.tier is None:
        yield 5, _gap("severity", f"tag the alarm with severity, or add tier to {here}")
    if not known.read_everything:
        yield 5, _gap("lookups", "something could not be read: `missing` of the IncidentTriaged entry says what")


def _gap(name: str, todo: str) -> Gap:
    return Gap(name=name, todo=todo)
