"""Whole runs and the people who agree to them, do not, or say nothing."""

import json

import pytest

from incidentio.core.incident import Status
from tests.make import BOB
from tests.unit.mitigate.stage import CAROL, Stage, approved


def test_a_rejection_ends_refused_and_green() -> None:
    stage = Stage()
    stage.people = lambda: stage.decide(decision="reject", reason="not now")
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "refused"
    assert stage.executions.statuses[run.run_id] == "SUCCEEDED"
    assert stage.executions.results[run.run_id]["outcome"] == "refused"
    assert "rejected by 111122223333:user/bob: not now" in stage.text("PlaybookRefused")
    assert stage.incident.status is Status.TRIGGERED, "rejecting is not acknowledging"
    assert not stage.estate.writes


@pytest.mark.parametrize(
    ("on_timeout", "told"),
    [
        ("refuse", ["ApprovalRequested", "ApprovalExpired"]),
        ("escalate", ["ApprovalRequested", "ApprovalEscalated", "ApprovalExpired"]),
    ],
)
def test_nobody_answers(on_timeout: str, told: list[str]) -> None:
    stage = Stage({"approval": {"timeout": "10m", "on_timeout": on_timeout}})
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "refused"
    assert [t for t in stage.types if t.startswith("Approval")] == told
    assert stage.approval()["status"] == "expired"
    assert stage.executions.results[run.run_id]["outcome"] == "refused"


def test_an_escalated_approval_can_still_be_given() -> None:
    stage = approved({"approval": {"timeout": "10m", "on_timeout": "escalate"}})
    calls: list[int] = []
    stage.people = lambda: calls.append(1) or (len(calls) == 2 and stage.decide())
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "succeeded"
    assert len(stage.executions.answered) == 1


def test_destructive_needs_two_different_people() -> None:
    stage = approved({"risk": "destructive"})

    def people() -> None:
        assert stage.decide(BOB)["status"] == "pending"
        assert stage.decide(CAROL)["status"] == "approved"

    stage.people = people
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "succeeded"
    assert len(stage.run(run).approvals) == 2


def test_one_approval_of_two_is_not_enough() -> None:
    stage = approved({"risk": "destructive"})
    stage.people = lambda: stage.decide(BOB)
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.writes) == ("refused", [])


def test_break_glass_acts_without_approval_and_is_loud() -> None:
    stage = approved()
    stage.people = lambda: None
    run = stage.request(break_glass="the whole shop is down")
    stage.play()
    assert stage.run(run).status == "succeeded"
    assert "BREAK GLASS" in stage.text("ApprovalDecided")
    assert "BREAK GLASS" in stage.text("PlaybookRequested")


def test_read_only_and_safe_runs_ask_nobody() -> None:
    stage = approved({"risk": "safe"})
    stage.people = lambda: pytest.fail("nobody is to be asked")
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "succeeded"


def test_a_definition_that_changed_after_the_approval_is_refused() -> None:
    stage = approved()
    run = stage.request()
    book = stage.bundle.playbooks["throttle-function"]
    newer = book.model_copy(update={"version": "2.0.0"})
    stage.at["SecondGate"] = lambda: stage.bundle.playbooks.update({book.name: newer})
    stage.play()
    assert stage.run(run).status == "refused"
    assert "changed since it was asked for" in stage.run(run).reason


def test_an_incident_that_ends_while_people_are_asked_ends_the_run() -> None:
    stage = Stage()

    def resolved() -> None:
        stage.change(status=Status.RESOLVED)
        stage.table.entries[stage.incident.id][-1] = stage.table.entries[stage.incident.id][-1].model_copy(
            update={"type": "IncidentResolved"}
        )

    stage.people = resolved
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "refused"
    assert stage.clock.now.minute == 0, "nobody waited for the approval to time out"


def test_the_token_is_shown_to_nobody() -> None:
    stage = approved()
    stage.request()
    stage.play()
    shown = json.dumps([e.model_dump(mode="json") for e in stage.table.entries["INC-7K3F9A"]])
    assert "-token-1" in stage.approval()["token"]
    assert "-token-1" not in shown
