"""A rollback is refused where the change it would undo is recorded as not reversible."""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.changes import ChangeRecord, change_write
from incidentio.mitigate.run import Run
from tests.unit.mitigate.stage import Stage

ROLLBACK: dict[str, Any] = {
    "name": "rollback-function",
    "undoes_change": True,
    "parameters": {},
    "steps": [{"action": "set-reserved-concurrency", "with": {"value": 5}}],
    "revert": None,
}
MIGRATION = {"reversible": False, "reason": "drops the column total", "what": "deploy of checkout 8", "actor": "ana"}


def told(stage: Stage, minutes: float, **fields: Any) -> None:
    at = stage.clock() - timedelta(minutes=minutes)
    change = {"id": f"d-{minutes}", "source": "deploys", "service": "checkout", "what": "deploy", "at": at, **fields}
    stage.table.write(change_write(ChangeRecord.model_validate(change)))


def played(stage: Stage, playbook: str = "rollback-function", **arguments: Any) -> Run:
    stage.people = stage.decide
    run = stage.request(playbook, **arguments)
    stage.waits = lambda _seconds: stage.recovered()
    stage.play()
    return stage.run(run)


def test_the_refusal_names_the_change_and_nothing_is_touched() -> None:
    stage = Stage(ROLLBACK)
    told(stage, 12, **MIGRATION)
    run = played(stage)
    assert run.outcome == "refused"
    assert "deploy of checkout 8 (" in run.reason
    assert "by ana): drops the column total. Repair it forward" in run.reason
    assert run.reason in stage.text("PlaybookRefused")
    assert not stage.estate.calls
    assert "ApprovalRequested" not in stage.types


def test_it_is_asked_again_once_people_agreed() -> None:
    stage = Stage(ROLLBACK)
    stage.people = lambda: (told(stage, 0, **MIGRATION), stage.decide())
    run = stage.request("rollback-function")
    stage.play()
    assert stage.run(run).outcome == "refused"
    assert not stage.estate.calls


def test_breaking_the_glass_does_not_help() -> None:
    stage = Stage(ROLLBACK)
    told(stage, 12, **MIGRATION)
    assert played(stage, break_glass="I know better").outcome == "refused"


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [(12, {})],
        [(12, {**MIGRATION, "service": "orders"})],
        [(12, {**MIGRATION, "service": None})],
        [(12, {**MIGRATION, "environment": "staging"})],
        [(25 * 60, MIGRATION)],
        [(30, MIGRATION), (12, {})],
    ],
    ids=[
        "none",
        "reversible",
        "of another service",
        "of nobody",
        "of another environment",
        "long ago",
        "before a later deploy",
    ],
)
def test_what_may_be_undone(changes: list[tuple[float, dict[str, Any]]]) -> None:
    stage = Stage(ROLLBACK)
    for minutes, fields in changes:
        told(stage, minutes, **fields)
    assert played(stage).outcome == "succeeded"


@pytest.mark.parametrize(
    "later",
    [
        {"environment": "staging"},
        {"status": "failed"},
        {"source": "cloudtrail", "id": "e-1", "what": "UpdateFunctionCode"},
        {"id": "d-12", "status": "succeeded"},
    ],
    ids=[
        "a later deploy to staging",
        "a later deploy that failed",
        "AWS tells of the same deploy",
        "its end does not say so again",
    ],
)
def test_what_is_told_later_of_the_same_deploy_does_not_hide_it(later: dict[str, Any]) -> None:
    stage = Stage(ROLLBACK)
    told(stage, 12, id="d-12", **MIGRATION)
    told(stage, 11, **later)
    assert played(stage).outcome == "refused"


def test_a_playbook_that_undoes_nothing_does_not_care() -> None:
    stage = Stage()
    told(stage, 12, **MIGRATION)
    assert played(stage, "throttle-function").outcome == "succeeded"


def test_an_incident_of_no_service_has_no_changes() -> None:
    stage = Stage(ROLLBACK, service=None)
    told(stage, 12, **{**MIGRATION, "service": None})
    assert played(stage).outcome == "succeeded"


def test_a_deploy_that_failed_half_way_is_not_undone_either() -> None:
    stage = Stage(ROLLBACK)
    told(stage, 12, id="d-8", status="started", **MIGRATION)
    told(stage, 11, id="d-8", status="failed")
    assert played(stage).outcome == "refused"


def test_a_later_deploy_that_started_and_failed_hides_nothing() -> None:
    stage = Stage(ROLLBACK)
    told(stage, 12, **MIGRATION)
    told(stage, 11, id="d-9", status="started")
    told(stage, 10, id="d-9", status="failed")
    assert played(stage).outcome == "refused"
