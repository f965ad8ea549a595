"""Whole runs that are stopped or do not help: what they did is given back, unless somebody else changed it."""

from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.incident import Status
from incidentio.mitigate.switches import set_switch
from tests.make import ALICE
from tests.unit.mitigate.stage import TWO_STEPS, approved


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
    assert stage.lock is None
    assert list(stage.executions.statuses) == [run.run_id], "a finished run needs no recovery"


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


def test_trouble_that_may_pass_is_retried_and_then_undone() -> None:
    stage = approved()
    stage.at["Watch"] = lambda: setattr(stage, "parameter", Unavailable("throttled"))
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)


def test_a_cancelled_incident_takes_the_change_back() -> None:
    stage = approved()
    stage.waits = lambda _: stage.incident.is_open and stage.change(status=Status.CANCELLED)
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)
