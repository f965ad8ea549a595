"""Whole runs: the compiled machine on the real control operations and actions."""

import json
import re

import pytest

from incidentio.core.errors import Conflict, NotFound, Unavailable
from incidentio.core.incident import Status
from incidentio.core.lifecycle import close
from incidentio.core.ports import Key
from incidentio.mitigate.keys import lock_key, open_run_key
from incidentio.mitigate.leases import given_back_by_hand, restore_now
from incidentio.mitigate.switches import set_switch
from tests.make import ALICE, BOB
from tests.unit.mitigate.stage import CAROL, TARGET, TWO_STEPS, Stage, killed


def approved(*playbooks: dict, **incident: object) -> Stage:
    """A stage where Bob approves at once and the signal recovers at the first wait."""
    stage = Stage(*playbooks, **incident)
    stage.people = stage.decide
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    return stage


def lock_of(stage: Stage) -> dict | None:
    return stage.table.records.get(lock_key(TARGET))


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
    assert lock_of(stage)["run_id"] == run.run_id
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
    assert lock_of(stage) is None
    assert not [k for k in stage.table.records if k.pk in ("LEASES", "OPEN#RUNS")]
    assert "10 → 50" in stage.text("LeaseRestored")
    assert stage.executions.statuses[f"{run.run_id}-revert-1"] == "SUCCEEDED"


def test_verification_that_fails_rolls_back_fails_the_execution_and_pages() -> None:
    stage = approved()
    stage.waits = lambda _: None
    run = stage.request()
    stage.play()
    done = stage.run(run)
    assert (done.status, stage.estate.reserved) == ("rolled_back", 50)
    assert stage.executions.statuses[run.run_id] == "FAILED"
    assert stage.types[-1] == "PlaybookRolledBack"
    assert "1 signal still firing" in stage.text("PlaybookRolledBack")
    assert lock_of(stage) is None
    assert list(stage.executions.statuses) == [run.run_id], "a finished run needs no recovery"


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


def test_kill_switch_in_the_middle_blocks_the_next_step_and_rolls_back_the_first() -> None:
    stage = approved(TWO_STEPS)
    stage.at["Step2Snapshot"] = lambda: set_switch(stage.table, "global", True, ALICE, "stop", now=stage.clock())
    run = stage.request("two-steps")
    stage.play()
    assert stage.run(run).status == "rolled_back"
    assert (stage.estate.rule, stage.estate.reserved) == ("ENABLED", 50)
    assert [s.status for s in stage.run(run).steps] == ["restored", "pending"]
    assert "automation is stopped for everything (hands off)" in stage.text("PlaybookStopped")


def test_hands_off_while_watching_rolls_back() -> None:
    stage = approved()
    stage.waits = lambda _: stage.incident.hands_off or stage.change(hands_off=True)
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)


def test_the_stop_alarm_rolls_back() -> None:
    stage = approved({"stop_if": {"alarm": "worse"}})
    stage.alarm_states["worse"] = "OK"
    stage.waits = lambda _: stage.alarm_states.update(worse="ALARM")
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"
    assert "alarm worse" in stage.run(run).reason


def test_steps_are_given_back_in_reverse() -> None:
    stage = approved(TWO_STEPS)
    stage.waits = lambda _: None
    stage.request("two-steps")
    stage.play()
    assert [w.split(":")[1] for w in stage.estate.writes] == [
        "DisableRule", "PutFunctionConcurrency", "PutFunctionConcurrency", "EnableRule",
    ]  # fmt: skip
    assert (stage.estate.rule, stage.estate.reserved) == ("ENABLED", 50)


def test_an_execution_stopped_in_mid_apply_is_recovered_from_the_snapshot() -> None:
    stage = approved()
    stage.at["Step1Confirm"] = killed
    run = stage.request()
    stage.play()
    assert stage.executions.statuses == {run.run_id: "ABORTED", f"{run.run_id}-recover-1": "FAILED"}
    assert "Quiet" in stage.executions.visited[f"{run.run_id}-recover-1"]
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)
    assert lock_of(stage) is None


def test_recovery_is_not_doubled_by_event_and_sweep() -> None:
    stage = approved()
    stage.at["Step1Confirm"] = killed
    run = stage.request()
    stage.deliver()
    stage.at["Resume"] = stage.sweep
    stage.at["Quiet"] = stage.sweep
    stage.play()
    stage.sweep()
    assert list(stage.executions.statuses) == [run.run_id, f"{run.run_id}-recover-1"]


def test_a_recovery_that_dies_too_is_tried_again_and_in_the_end_left_to_people() -> None:
    stage = approved()
    stage.at["Step1Confirm"] = killed

    def always_dies(state: str) -> None:
        if state == "Undo":
            killed()
        Stage._hook(stage, state)

    stage._hook = always_dies
    run = stage.request()
    stage.play()
    assert len(stage.executions.statuses) == 6
    assert stage.run(run).status == "rollback_failed"
    assert "aws lambda put-function-concurrency" in stage.text("RollbackFailed")
    assert "--reserved-concurrent-executions 50" in stage.data("RollbackFailed")["commands"][0]
    assert lock_of(stage) is None


def test_a_foreign_change_is_left_alone_and_told() -> None:
    stage = approved()
    stage.waits = lambda _: stage.estate.somebody_sets("set-reserved-concurrency", 77)
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 77)
    assert "ForeignChangeFound" in stage.types
    assert "--reserved-concurrent-executions 50" in stage.text("ForeignChangeFound")


def test_a_rollback_that_aws_refuses_is_told_with_commands() -> None:
    stage = approved()
    stage.waits = lambda _: stage.estate.failing.update(put_function_concurrency=NotFound("gone"))
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rollback_failed"
    assert stage.executions.statuses[run.run_id] == "FAILED"
    assert "RollbackFailed" in stage.types
    assert "PlaybookRolledBack" not in stage.types


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
    assert lock_of(stage) is None


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


def test_a_kill_switch_that_cannot_be_read_is_on() -> None:
    stage = approved()
    stage.parameter = NotFound("no parameter")
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "refused"


def test_trouble_that_may_pass_is_retried_and_then_undone() -> None:
    stage = approved()
    stage.at["Watch"] = lambda: setattr(stage, "parameter", Unavailable("throttled"))
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)


def test_a_lease_ends_at_the_latest() -> None:
    stage = approved()
    run = stage.request()
    stage.play()
    stage.sweep()
    assert not stage.executions.queue
    stage.clock.advance(hours=4, seconds=1)
    stage.sweep()
    stage.sweep()
    stage.play()
    assert stage.run(run).lease.status == "restored"
    assert list(stage.executions.statuses) == [run.run_id, f"{run.run_id}-revert-1"]


def test_what_settles_after_the_incident_is_over_is_given_back_at_once() -> None:
    stage = approved()
    stage.waits = lambda _: stage.incident.is_open and stage.change(status=Status.RESOLVED, firing=0)
    run = stage.request()
    stage.play()
    assert stage.run(run).lease.status == "open"
    stage.sweep()
    stage.play()
    assert (stage.run(run).lease.status, stage.estate.reserved) == ("restored", 50)
    assert stage.run(run).lease.at_latest == stage.run(run).lease.opened_at


def test_a_cancelled_incident_takes_the_change_back() -> None:
    stage = approved()
    stage.waits = lambda _: stage.incident.is_open and stage.change(status=Status.CANCELLED)
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)


def test_a_person_can_have_it_back_now() -> None:
    stage = approved()
    run = stage.request()
    stage.play()
    restore_now(stage.table, run.run_id, BOB, now=stage.clock())
    stage.sweep()
    stage.play()
    assert (stage.run(run).lease.status, stage.estate.reserved) == ("restored", 50)
    with pytest.raises(Conflict, match="nothing borrowed"):
        restore_now(stage.table, run.run_id, BOB, now=stage.clock())


def test_asking_twice_to_have_it_back_is_asking_once() -> None:
    stage = approved()
    run = stage.request()
    stage.play()
    notes = [
        restore_now(stage.table, run.run_id, BOB, now=stage.clock()) and stage.types.count("NoteAdded") for _ in "ab"
    ]
    assert notes == [1, 1]


def test_what_can_never_be_given_back_ends_on_a_persons_word() -> None:
    stage = approved()
    run = stage.request()
    stage.play()
    with pytest.raises(Conflict, match="is open"):
        given_back_by_hand(stage.table, run.run_id, BOB, how="deleted", now=stage.clock())
    stage.change(status=Status.RESOLVED)
    stage.executions.missing.add("throttle-function")
    stage.sweep()
    assert stage.run(run).lease.status == "failed"
    with pytest.raises(Conflict, match="borrowed change"):
        close(stage.incident, actor=BOB, at=stage.clock())
    given_back_by_hand(stage.table, run.run_id, BOB, how="deleted, password=hunter2", now=stage.clock())
    assert (stage.incident.open_leases, lock_of(stage)) == (0, None)
    assert stage.types[-1] == "LeaseRestored"
    assert "says that what throttle-function borrowed on checkout is settled: deleted" in stage.text("LeaseRestored")
    assert "hunter2" not in stage.text("LeaseRestored")
    stage.sweep()
    assert not stage.executions.queue
    with pytest.raises(Conflict, match="nothing borrowed"):
        given_back_by_hand(stage.table, run.run_id, BOB, how="again", now=stage.clock())


def test_a_lease_that_cannot_be_given_back_stays_open_and_is_tried_again() -> None:
    stage = approved()
    run = stage.request()
    stage.play()
    stage.change(status=Status.RESOLVED)
    stage.estate.failing["put_function_concurrency"] = NotFound("gone")
    stage.sweep()
    stage.play()
    assert stage.run(run).lease.status == "failed"
    assert stage.incident.open_leases == 1
    assert "RollbackFailed" in stage.types
    stage.sweep()
    assert not stage.executions.queue, "not at once"
    stage.estate.failing.clear()
    stage.clock.advance(minutes=6)
    stage.sweep()
    stage.play()
    assert stage.run(run).lease.status == "restored"
    assert stage.incident.open_leases == 0


def test_a_revert_that_is_killed_is_taken_up_again() -> None:
    stage = approved()
    run = stage.request()
    stage.play()
    stage.change(status=Status.RESOLVED)
    stage.at["Undo"] = killed
    stage.sweep()
    stage.play()
    assert stage.run(run).lease.status == "restored"
    assert f"{run.run_id}-revert-2" in stage.executions


def test_a_start_that_was_lost_is_made_up_for_by_the_sweep() -> None:
    stage = approved()
    run = stage.request()
    stage.delivered[run.incident_id] = len(stage.table.entries[run.incident_id])
    stage.sweep()
    stage.sweep()
    stage.play()
    assert stage.run(run).status == "succeeded"
    assert stage.table.records[Key("BEAT", "mitigate")]["at"]


def test_one_run_in_trouble_does_not_keep_the_others_waiting() -> None:
    stage = approved()
    run = stage.request()
    stage.delivered[run.incident_id] = len(stage.table.entries[run.incident_id])
    dangling = {"run_id": "RUN-7K3F9A-00000000", "incident_id": run.incident_id}
    stage.table.records[open_run_key(dangling["run_id"])] = dangling
    with pytest.raises(NotFound):
        stage.sweep()
    assert run.run_id in stage.executions
    assert Key("BEAT", "mitigate") in stage.table.records


def test_the_token_is_shown_to_nobody() -> None:
    stage = approved()
    stage.request()
    stage.play()
    shown = json.dumps([e.model_dump(mode="json") for e in stage.table.entries["INC-7K3F9A"]])
    assert "-token-1" in stage.approval()["token"]
    assert "-token-1" not in shown
