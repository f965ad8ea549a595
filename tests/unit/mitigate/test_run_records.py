"""A run changes only from the state it was decided on."""

import pytest

from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.incident import Incident
from incidentio.mitigate.conduct.conductor import conduct
from incidentio.mitigate.keys import incident_of_approval, incident_of_run, lock_key, new_run_id
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, load_run
from incidentio.mitigate.switches import set_switch
from tests.make import ALICE
from tests.unit.mitigate.stage import PREFIX, TARGET, Stage

SAFE = {"risk": "safe"}


def test_a_faster_writer_is_not_overwritten_even_without_a_timeline_entry() -> None:
    stage = Stage(SAFE)
    run = stage.request()
    rival = [lambda _, r: Move(r.having(reason="rival"))]

    def decide(_incident: Incident, seen: Run) -> Move:
        if rival:
            advance(stage.table, run.incident_id, run.run_id, rival.pop())
        return Move(seen.having(recoveries=seen.recoveries + 1))

    advance(stage.table, run.incident_id, run.run_id, decide, pause=lambda _: None)
    after = stage.run(run)
    assert (after.reason, after.recoveries, after.rev) == ("rival", 1, 3)


def test_contention_without_end_says_so() -> None:
    stage = Stage(SAFE)
    run = stage.request()

    def decide(_incident: Incident, seen: Run) -> Move:
        advance(stage.table, run.incident_id, run.run_id, lambda _, r: Move(r))
        return Move(seen)

    with pytest.raises(Unavailable):
        advance(stage.table, run.incident_id, run.run_id, decide, pause=lambda _: None)


def test_a_rollback_told_twice_keeps_its_first_result() -> None:
    stage = Stage(SAFE)
    run = stage.request()
    advance(stage.table, run.incident_id, run.run_id, lambda _, r: Move(r.with_step(1, status="applied")))
    payload = {"op": "undone", "run_id": run.run_id, "incident_id": run.incident_id, "step": 1}
    for result in ("restored", "already"):
        stage._invoke("control", {**payload, "undone": {"result": result, "summary": result}})
    assert stage.run(run).steps[0].status == "restored"


def test_an_answer_nobody_knows_counts_as_failed() -> None:
    stage = Stage(SAFE)
    run = stage.request()
    advance(stage.table, run.incident_id, run.run_id, lambda _, r: Move(r.with_step(1, status="applied")))
    payload = {"op": "undone", "run_id": run.run_id, "incident_id": run.incident_id, "step": 1}
    stage._invoke("control", {**payload, "undone": {"surprise": True}})
    assert stage.run(run).steps[0].status == "failed"


def test_ids_name_their_incident() -> None:
    assert incident_of_run(new_run_id("INC-7K3F9A")) == "INC-7K3F9A"
    assert new_run_id("INC-7K3F9A", seed="a") == new_run_id("INC-7K3F9A", seed="a")
    assert new_run_id("INC-7K3F9A", seed="a") != new_run_id("INC-7K3F9A", seed="b")
    with pytest.raises(NotFound):
        incident_of_run("RUN-1")
    with pytest.raises(NotFound):
        incident_of_approval("APR-7K3F9A-short")
    with pytest.raises(NotFound):
        load_run(Stage(SAFE).table, "INC-7K3F9A", "RUN-7K3F9A-00000000")


@pytest.mark.parametrize("borrow_seconds", [0, 600])
def test_a_late_success_does_not_end_an_undo(borrow_seconds: int) -> None:
    stage = Stage(SAFE)
    run = stage.request()
    advance(stage.table, run.incident_id, run.run_id, lambda _, r: Move(r.having(status="undoing")))
    payload = {"op": "settle", "run_id": run.run_id, "incident_id": run.incident_id, "borrow_seconds": borrow_seconds}
    stage._invoke("control", payload)
    assert stage.run(run).status == "undoing"
    assert not {"PlaybookSucceeded", "LeaseOpened"} & set(stage.types)


def test_a_gate_asked_late_ends_no_run_that_has_its_lock() -> None:
    stage = Stage(SAFE)
    run = stage.request()
    payload = {"run_id": run.run_id, "incident_id": run.incident_id, "definition": run.definition_hash}
    stage._invoke("control", {**payload, "op": "lock"})
    set_switch(stage.table, "global", True, ALICE, "", now=stage.clock())
    assert stage._invoke("control", {**payload, "op": "gate"})["decision"] == "refuse"
    assert (stage.run(run).status, lock_key(TARGET) in stage.table.records) == ("running", True)
    assert "PlaybookRefused" not in stage.types


@pytest.mark.parametrize("name", ["by-hand", "0b1c-4d5e-6f70", "RUN-7K3F9A-0123ABCD"])
def test_an_execution_that_is_no_run_of_ours_is_left_alone(name: str) -> None:
    stage = Stage(SAFE)
    detail = {"name": name, "status": "FAILED", "stateMachineArn": f"{PREFIX}throttle-function"}
    assert conduct(stage.score, {"source": "aws.states", "detail": detail}, machines=PREFIX) == "no run of ours"
    assert stage.executions.statuses == {}
