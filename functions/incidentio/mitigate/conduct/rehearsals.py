"""Rehearsals that are due, and what comes of those that have ended."""

from incidentio.core.changes import deployed_services
from incidentio.core.errors import IncidentioError
from incidentio.core.events import DomainEvent
from incidentio.mitigate.conduct.score import Score
from incidentio.mitigate.rehearse import over, rehearse_deployed
from incidentio.mitigate.runs import load_run


def dry_run_over(score: Score, event: DomainEvent) -> None:
    """PlaybookPlanned, PlaybookRefused: if it was a rehearsal, its drill ends; a failed one opens a ticket."""
    if not event.data.get("dry_run"):
        return
    run = load_run(score.table, event.incident_id, str(event.data["run_id"]))
    failed = None if run.status == "planned" else run.reason or run.status
    over(score.table, event.incident_id, score.clock(), failed=failed)


def due_rehearsals(score: Score) -> list[IncidentioError]:
    """Rehearse what was deployed; what went wrong is tried again at the next sweep."""
    errors = []
    for deployed in deployed_services(score.table):
        try:
            rehearse_deployed(
                score.table, score.bundle, deployed, now=score.clock(), account=score.account, region=score.region
            )
        except IncidentioError as error:
            errors.append(error)
    return errors
