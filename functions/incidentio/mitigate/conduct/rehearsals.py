"""Rehearsals that are due, and what comes of those that have ended."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from incidentio.core.changes import REHEARSE_AFTER, DeployedService
from incidentio.core.events import DomainEvent
from incidentio.mitigate.conduct.score import Score
from incidentio.mitigate.runs import load_run


def dry_run_over(score: Score, event: DomainEvent) -> None:
    """PlaybookPlanned, PlaybookRefused: if it was a rehearsal, its drill ends; a failed one opens a ticket."""
    if not event.data.get("dry_run"):
        return
    from incidentio.mitigate.rehearse import over  # noqa: PLC0415 - reads playbooks, and few events are about a rehearsal

    run = load_run(score.table, event.incident_id, str(event.data["run_id"]))
    failed = None if run.status == "planned" else run.reason or run.status
    over(score.table, event.incident_id, score.clock(), failed=failed)


def rehearsals(score: Score) -> list[Callable[[], None]]:
    """Rehearse what was deployed; what goes wrong is tried again at the next sweep."""
    return [partial(_rehearse, score, body) for _, body in score.table.query(REHEARSE_AFTER)]


def _rehearse(score: Score, body: Mapping[str, Any]) -> None:
    from incidentio.mitigate.rehearse import rehearse_deployed  # noqa: PLC0415 - as above

    deployed = DeployedService.model_validate(body)
    rehearse_deployed(
        score.table, score.bundle, deployed, now=score.clock(), account=score.account, region=score.region
    )
