"""Whole runs: the compiled machine on the real control operations and actions."""

import json
import re

from incidentio.core.errors import NotFound
from incidentio.core.incident import Status
from tests.make import BOB
from tests.unit.mitigate.stage import TWO_STEPS, Stage, approved


def test_requested_approved_applied_verified_borrowed_and_given_back() -> None:
    stage = approved()
    run = stage.request()
    stage.play(twice=True)

    done = stage.run(run)
    assert (done.status, done.lease and done.lease.status) == ("succeeded", "open")
    assert (done.steps[0].before, done.steps[0].after) == (50, 10)
    assert [d.actor for d in done.approvals] == [BOB]
    assert stage.estate.reserved == 10
    assert stage.incident.open_leases == 1
    assert stage.lock["run_id"] == run.run_id
    assert re.search(r"at latest \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", stage.text("LeaseOpened"))
    wanted = ["PlaybookRequested", "ApprovalRequested", "IncidentAcknowledged", "ApprovalDecided", "PlaybookStarted"]
    wanted += ["StepApplied", "PlaybookSucceeded", "LeaseOpened"]
    assert [t for t in stage.types if t in wanted] == wanted
    assert all(
        e.data["definition_hash"] == run.definition_hash
        for e in stage.table.entries[run.incident_id]
        if "run_id" in e.data
    )

    stage.change(status=Status.RESOLVED)
    stage.sweep()
    stage.play()
    assert stage.estate.reserved == 50
    assert stage.run(run).lease.status == "restored"
    assert stage.incident.open_leases == 0
    assert stage.lock is None
    assert not [k for k in stage.table.records if k.pk in ("LEASES", "OPEN#RUNS")]
    assert "10 → 50" in stage.text("LeaseRestored")
    assert stage.executions.statuses[f"{run.run_id}-revert-1"] == "SUCCEEDED"


def test_the_first_snapshot_wins_when_a_task_is_retried() -> None:
    stage = approved()
    run = stage.request()

    def repeated() -> None:
        payload = {"op": "keep", "run_id": run.run_id, "incident_id": run.incident_id, "step": 1}
        seen = {"snapshot": {"before": 10, "after": 10}, "targets": 1, "of": 12}
        assert stage._invoke("control", {**payload, "seen": seen})["snapshot"] == {"before": 50, "after": 10}

    stage.at["Step1Confirm"] = repeated
    stage.play()
    assert stage.run(run).steps[0].before == 50


def test_too_many_targets_are_refused_before_anything_changes() -> None:
    stage = approved({"targets": {"type": "AWS::Lambda::Function", "max": {"percent": 5}}})
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "refused"
    assert "1 of 12 targets: at most 5 %" in stage.run(run).reason
    assert not stage.estate.writes
    assert stage.lock is None


def test_a_target_in_other_hands_is_refused_until_it_is_given_back() -> None:
    stage = approved({}, {**TWO_STEPS, "risk": "safe"})
    first = stage.request()
    stage.play()
    second = stage.request("two-steps")
    stage.play()
    assert stage.run(second).status == "refused"
    assert first.run_id in stage.run(second).reason


def test_a_dry_run_says_what_it_would_do_and_does_nothing() -> None:
    stage = Stage(TWO_STEPS)
    run = stage.request("two-steps", dry_run=True)
    stage.play()
    done = stage.run(run)
    assert (done.status, stage.estate.writes) == ("planned", [])
    assert [p["before"] for p in done.plan] == ["ENABLED", 50]
    assert "aws events disable-rule" in json.dumps(stage.data("PlaybookPlanned")["do"])


def test_a_dry_run_against_nothing_says_so() -> None:
    stage = Stage({})
    stage.estate.gone = True
    run = stage.request(dry_run=True)
    stage.play()
    done = stage.run(run)
    assert (done.status, done.reason, stage.estate.writes) == ("refused", "there is no function checkout", [])
    assert "it would be refused: there is no function checkout" in stage.text("PlaybookPlanned")


def test_a_kill_switch_that_cannot_be_read_is_on() -> None:
    stage = approved()
    stage.parameter = NotFound("no parameter")
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "refused"
