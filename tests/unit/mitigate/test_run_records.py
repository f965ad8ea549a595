"""A run changes only from the state it was decided on."""

import pytest

from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.incident import Incident
from incidentio.mitigate.keys import incident_of_approval, incident_of_run, new_run_id
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance, load_run
from tests.unit.mitigate.stage import Stage

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
