"""Playbooks as the API shows them: the definition, how its runs went, and for which services it was rehearsed."""

from collections.abc import Iterable
from datetime import datetime

from incidentio.api.playbook_views import PlaybookList, PlaybookView, RehearsalView, VersionView
from incidentio.core.bundle import Bundle
from incidentio.core.playbook import Playbook
from incidentio.core.ports import Records
from incidentio.mitigate.track_record import (
    Rehearsed,
    Tally,
    rates_by_risk,
    rehearsed,
    stale,
    success_rate,
    tallies,
)


def playbook_list(table: Records, bundle: Bundle, now: datetime) -> PlaybookList:
    """All of this deployment; two queries, however many there are."""
    counted, seen = tallies(table), rehearsed(table)
    items = [
        _view(
            playbook,
            [tally for tally in counted if tally.playbook == name],
            _rehearsals(playbook, bundle, [each for each in seen if each.playbook == name], now),
        )
        for name, playbook in sorted(bundle.playbooks.items())
    ]
    return PlaybookList(items=items, success_rate_by_risk=rates_by_risk(counted))


def _view(playbook: Playbook, counted: list[Tally], rehearsals: list[RehearsalView]) -> PlaybookView:
    return PlaybookView(
        name=playbook.name,
        version=playbook.version,
        owner=playbook.owner,
        description=playbook.description,
        risk=playbook.risk.value,
        approvals=playbook.risk.approvals,
        definition_hash=playbook.definition_hash,
        target_type=playbook.targets.type,
        when=[str(matcher) for matcher in playbook.when],
        parameters={
            name: parameter.model_dump(mode="json", exclude_none=True)
            for name, parameter in playbook.parameters.items()
        },
        success_rate=success_rate(counted),
        versions=[_version(tally) for tally in sorted(counted, key=lambda tally: tally.last_at, reverse=True)],
        rehearsals=rehearsals,
    )


def _version(tally: Tally) -> VersionView:
    return VersionView(
        version=tally.version,
        definition_hash=tally.definition_hash,
        succeeded=tally.succeeded,
        rolled_back=tally.rolled_back,
        rollback_failed=tally.rollback_failed,
        refused=tally.refused,
        success_rate=success_rate([tally]),
        last_at=tally.last_at,
    )


def _rehearsals(playbook: Playbook, bundle: Bundle, seen: Iterable[Rehearsed], now: datetime) -> list[RehearsalView]:
    """Of every service it was rehearsed for, and of those whose team lets it start by itself."""
    last = {each.service: each for each in seen}
    opted_in = {name for name, service in bundle.catalog.services.items() if playbook.name in service.automation.auto}
    return [
        RehearsalView(
            service=service,
            automatic=service in opted_in,
            at=found.at if (found := last.get(service)) else None,
            target=found.target if found else None,
            run_id=found.run_id if found else None,
            dry_run=found.dry_run if found else False,
            stale=stale(playbook, found, service=service, now=now),
        )
        for service in sorted({*last, *opted_in})
    ]
