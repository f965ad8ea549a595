"""Whole runs whose execution dies or never starts: taken up again from what was remembered."""

import pytest

from incidentio.core.errors import NotFound
from incidentio.core.ports import Key
from incidentio.mitigate.keys import open_run_key
from tests.unit.mitigate.stage import Stage, approved, killed


def test_an_execution_stopped_in_mid_apply_is_recovered_from_the_snapshot() -> None:
    stage = approved()
    stage.at["Step1Confirm"] = killed
    run = stage.request()
    stage.play()
    assert stage.executions.statuses == {run.run_id: "ABORTED", f"{run.run_id}-recover-1": "FAILED"}
    assert "Quiet" in stage.executions.visited[f"{run.run_id}-recover-1"]
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)
    assert stage.lock is None


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
    assert stage.lock is None


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
