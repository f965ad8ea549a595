"""Whatever state an execution dies in, and whichever answer gets lost: the run ends, and AWS is as the run says."""

import pytest

from incidentio.mitigate.keys import LEASES, OPEN_RUNS, lock_key
from tests.unit.mitigate.interpreter import TaskError
from tests.unit.mitigate.stage import TARGET, TWO_STEPS, Stage, killed

ASKS = {**TWO_STEPS, "approval": {"timeout": "10m", "on_timeout": "escalate"}}


def stage_for(recovers: bool) -> Stage:
    stage = Stage(ASKS)
    stage.people = lambda: stage.approval()["status"] == "pending" and stage.decide()
    stage.waits = lambda _: recovers and stage.incident.firing and stage.recovered()
    return stage


def states(*, tasks: bool = False) -> list[str]:
    machine = Stage(ASKS).interpreter("two-steps").machine["States"]
    return [name for name, state in machine.items() if not tasks or state["Type"] == "Task"]


def settled(stage: Stage) -> None:
    for _ in range(8):
        stage.play()
        stage.clock.advance(minutes=1)
        stage.sweep()
    stage.play()


def consistent(stage: Stage, run_id: str) -> None:
    run, found = stage.run(run_id), (stage.estate.rule, stage.estate.reserved)
    assert run.finished
    assert not [k for k in stage.table.records if k.pk == OPEN_RUNS]
    held = stage.table.records.get(lock_key(TARGET))
    leases = [k for k in stage.table.records if k.pk == LEASES]
    if run.status == "succeeded":
        assert run.lease is not None
        assert (found, held["run_id"], stage.incident.open_leases) == (("DISABLED", 0), run.run_id, len(leases))
        assert len(leases) == 1
    else:
        assert run.status in ("refused", "rolled_back")
        assert (found, held, leases, stage.incident.open_leases) == (("ENABLED", 50), None, [], 0)
    ends = {"PlaybookSucceeded", "PlaybookRefused", "PlaybookRolledBack", "RollbackFailed"}
    assert len([t for t in stage.types if t in ends]) == 1, "told once how it ended"


@pytest.mark.parametrize("recovers", [True, False])
@pytest.mark.parametrize("state", states())
def test_an_execution_killed_before_any_state(state: str, recovers: bool) -> None:
    stage = stage_for(recovers)
    stage.at[state] = killed
    run = stage.request("two-steps")
    settled(stage)
    consistent(stage, run.run_id)


@pytest.mark.parametrize("state", states())
def test_an_execution_that_is_redriven_after_its_run_was_undone(state: str) -> None:
    stage = stage_for(recovers=True)
    stage.at[state] = killed
    made, machine = [], stage.executions.machine
    stage.executions.machine = lambda playbook: made.append(machine(playbook)) or made[-1]
    run = stage.request("two-steps")
    settled(stage)
    before = stage.run(run.run_id)
    if state in stage.at:
        return  # it never came there
    stage.people = lambda: None
    made[0].redrive(state)
    settled(stage)
    assert stage.run(run.run_id).status == before.status
    consistent(stage, run.run_id)


@pytest.mark.parametrize("recovers", [True, False])
@pytest.mark.parametrize("state", states(tasks=True))
def test_a_task_that_did_its_work_and_whose_answer_got_lost(state: str, recovers: bool) -> None:
    stage = stage_for(recovers)
    invoke, lost = stage._invoke, [state]

    def invoked(arn: str, payload: dict) -> object:
        answer = invoke(arn, payload)
        if state in now and lost:
            lost.clear()
            raise TaskError("States.Timeout")
        return answer

    now: set[str] = set()

    def entered(name: str) -> None:
        now.clear()
        now.add(name)
        Stage._hook(stage, name)

    stage._invoke, stage._hook = invoked, entered
    run = stage.request("two-steps")
    settled(stage)
    consistent(stage, run.run_id)


def test_a_dry_run_whose_last_answer_got_lost_ends_as_planned() -> None:
    stage = stage_for(recovers=True)
    invoke = stage._invoke

    def invoked(arn: str, payload: dict) -> object:
        answer = invoke(arn, payload)
        if payload.get("after") == 2:
            raise TaskError("States.Timeout")
        return answer

    stage._invoke = invoked
    run = stage.request("two-steps", dry_run=True)
    settled(stage)
    assert stage.run(run).status == "planned"
    assert stage.executions.statuses[run.run_id] == "SUCCEEDED"


def test_an_apply_that_nobody_knows_the_end_of_does_not_overtake_its_undo() -> None:
    """Step Functions lost contact with the function, which goes on and writes a little later."""
    stage = Stage({"risk": "safe"})
    invoke, late = stage._invoke, []

    def invoked(arn: str, payload: dict) -> object:
        if payload["op"] == "apply":
            late[:] = [payload]
            raise TaskError("Lambda.SdkClientException")
        return invoke(arn, payload)

    stage._invoke = invoked
    stage.waits = lambda _: late and invoke("action", late.pop())
    run = stage.request()
    settled(stage)
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)
    assert stage.estate.writes == ["lambda:PutFunctionConcurrency"] * 2, "it did write, and was given back after"


@pytest.mark.parametrize("state", ["Gate", "Step1Begin", "Step1Snapshot", "Step1Keep"])
def test_what_fails_before_anything_changed_ends_green_as_refused(state: str) -> None:
    stage = Stage({"risk": "safe"})

    def down(_: dict) -> None:
        raise TaskError("Runtime.ExitError")

    invoke, ops = (
        stage._invoke,
        {"Gate": "gate", "Step1Begin": "begin", "Step1Snapshot": "snapshot", "Step1Keep": "keep"},
    )
    stage._invoke = lambda arn, payload: down(payload) if payload["op"] == ops[state] else invoke(arn, payload)
    run = stage.request()
    settled(stage)
    assert stage.executions.statuses[run.run_id] == "SUCCEEDED"
    assert stage.executions.results[run.run_id] == {"outcome": "refused", "run_id": run.run_id}
