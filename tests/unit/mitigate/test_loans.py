"""What a run has borrowed: given back when the incident is over, at the latest, or when a person says so."""

import pytest

from incidentio.core.errors import Conflict, NotFound
from incidentio.core.incident import Status
from incidentio.core.lifecycle import close
from incidentio.mitigate.leases import given_back_by_hand, restore_now
from tests.make import BOB
from tests.unit.mitigate.stage import approved, killed


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
    assert (stage.incident.open_leases, stage.lock) == (0, None)
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
