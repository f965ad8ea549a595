"""Who may decide, when, and how often."""

from datetime import timedelta

import pytest

from incidentio.core.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound
from incidentio.core.incident import Status
from incidentio.core.person import SYSTEM, Actor, person_from_arn
from incidentio.core.redaction import redact
from incidentio.mitigate.approvals import approvals_of, decide_approval
from incidentio.mitigate.keys import new_approval_id, new_run_id
from tests.make import ALICE, BOB
from tests.unit.mitigate.stage import CAROL, Stage


def asked(**changes: object) -> Stage:
    """An approval waits; ALICE asked for the run."""
    stage = Stage(changes)
    run = stage.request()
    payload = {"run_id": run.run_id, "incident_id": run.incident_id, "definition": run.definition_hash}
    stage._invoke("control", {"op": "gate", **payload})
    stage._invoke("control", {"op": "ask", "token": "secret", "turn": 1, **payload})
    return stage


def test_an_approval_shows_what_is_asked_and_never_the_token() -> None:
    stage = asked()
    (shown,) = approvals_of(stage.table, stage.incident.id, now=stage.clock())
    assert {"id", "status", "playbook", "version", "risk", "target", "requested_at", "expires_at"} <= set(shown)
    assert (shown["status"], shown["requester"], shown["needed"]) == ("pending", ALICE.id, 1)
    assert "token" not in shown
    assert "secret" not in str(stage.decide())


def test_approving_acknowledges_and_is_one_transaction() -> None:
    stage = asked()
    before = len(stage.types)
    assert stage.decide(reason="password=hunter2 go")["status"] == "approved"
    assert stage.types[before:] == ["IncidentAcknowledged", "ApprovalDecided"]
    assert stage.incident.status is Status.ACKNOWLEDGED
    assert "hunter2" not in stage.text("ApprovalDecided")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_the_requester_never_counts(decision: str) -> None:
    with pytest.raises(Forbidden, match="somebody else must decide"):
        asked().decide(ALICE, decision)


def test_a_machine_is_no_person() -> None:
    with pytest.raises(Forbidden, match="no person"):
        asked().decide(SYSTEM)


def test_two_sessions_of_one_role_are_one_person() -> None:
    stage = asked(risk="destructive")
    first, second = (
        person_from_arn(f"arn:aws:sts::111122223333:assumed-role/OnCall/{session}") for session in ("dora", "emil")
    )
    assert stage.decide(first)["status"] == "pending"
    with pytest.raises(Conflict, match="2 different people"):
        stage.decide(second)


def test_a_decision_is_made_once() -> None:
    stage = asked()
    stage.decide()
    for actor in (BOB, CAROL):
        for decision in ("approve", "reject"):
            with pytest.raises(Conflict, match="already approved"):
                stage.decide(actor, decision)


def test_one_rejection_of_two_ends_it() -> None:
    stage = asked(risk="destructive")
    stage.decide(BOB)
    assert stage.decide(CAROL, "reject")["status"] == "rejected"


def test_an_expired_approval_is_gone() -> None:
    stage = asked()
    stage.clock.advance(minutes=10)
    with pytest.raises(Gone):
        stage.decide()
    assert approvals_of(stage.table, stage.incident.id, now=stage.clock())[0]["status"] == "expired"


def test_an_approval_is_bound_to_its_definition() -> None:
    stage = asked()
    book = stage.bundle.playbooks["throttle-function"]
    stage.bundle.playbooks[book.name] = book.model_copy(update={"version": "2.0.0"})
    with pytest.raises(Conflict, match="was changed since"):
        stage.decide()
    assert stage.decide(decision="reject")["status"] == "rejected", "saying no is always possible"


def test_nothing_is_left_to_approve_when_the_incident_is_over() -> None:
    stage = asked()
    stage.change(status=Status.RESOLVED)
    with pytest.raises(Conflict, match="nothing is left"):
        stage.decide()


def test_no_id_is_taken_for_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidentio.mitigate.keys.random_base32", lambda length: "ACCA096P1M5SVEWZ96ET7"[:length])
    for id in (new_approval_id("INC-7K3F9A"), new_run_id("INC-7K3F9A")):
        assert redact(id, limit=100) == id


@pytest.mark.parametrize("id", ["APR-7K3F9A-000000000000000000007", "APR-7K3F9A", "x" * 500, ""])
def test_an_unknown_approval_is_not_found(id: str) -> None:
    stage = asked()
    with pytest.raises(NotFound):
        decide_approval(
            stage.table, id, actor=BOB, decision="approve", reason="", now=stage.clock(), bundle=stage.bundle
        )


def test_another_word_than_approve_or_reject_is_refused() -> None:
    with pytest.raises(InvalidInput, match="use approve or reject"):
        asked().decide(BOB, "maybe")


def test_two_people_at_the_same_moment_both_count() -> None:
    stage = asked(risk="destructive")
    stage.table.before_commit.append(lambda: stage.decide(CAROL))
    assert stage.decide(BOB)["status"] == "approved"
    assert [d["actor"]["id"] for d in stage.approval()["decisions"]] == [CAROL.id, BOB.id]


def test_a_retried_task_replaces_the_token_and_asks_once() -> None:
    stage = asked()
    run_id = stage.approval()["run_id"]
    again = {"op": "ask", "run_id": run_id, "incident_id": stage.incident.id, "token": "newer", "turn": 1}
    stage._invoke("control", again)
    assert stage.approval()["token"] == "newer"
    assert stage.types.count("ApprovalRequested") == 1


def test_the_id_cannot_be_guessed_and_names_its_incident() -> None:
    ids = {asked().approval()["id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(id.startswith("APR-7K3F9A-") and len(id) == 32 for id in ids)


def test_a_second_turn_gives_as_much_time_again() -> None:
    stage = asked(approval={"timeout": "10m", "on_timeout": "escalate"})
    stage.clock.advance(minutes=10)
    run_id = stage.approval()["run_id"]
    second = {"op": "ask", "run_id": run_id, "incident_id": stage.incident.id, "token": "second", "turn": 2}
    for _ in range(2):
        stage._invoke("control", second)
    assert stage.types.count("ApprovalEscalated") == 1
    stage.clock.advance(minutes=9)
    assert stage.decide(Actor(id="dora", kind="person"))["status"] == "approved"
    assert timedelta(minutes=20) > stage.clock() - stage.incident.detected_at


def test_breaking_the_glass_of_a_run_that_waits_already() -> None:
    stage = Stage({"risk": "destructive"})
    run = stage.request()
    stage.people = lambda: stage.request(actor=BOB, break_glass="password=hunter2 the shop is down")
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    stage.play()
    done = stage.run(run)
    assert done.status == "succeeded"
    assert [(d.actor.id, d.decision) for d in done.approvals] == [(BOB.id, "approve")]
    assert stage.types.count("ApprovalEscalated") == 1, "the loud page"
    assert "BREAK GLASS" in stage.text("ApprovalEscalated")
    assert stage.data("ApprovalEscalated")["requester"] == BOB.id
    assert "hunter2" not in str(stage.table.entries[stage.incident.id])
    assert stage.approval()["break_glass"]


def test_breaking_the_glass_before_anybody_was_asked() -> None:
    stage = Stage()
    run = stage.request()
    stage.request(actor=BOB, break_glass="now")
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    stage.play()
    assert (stage.run(run).status, stage.run(run).requester) == ("succeeded", BOB)
    assert "BREAK GLASS" in stage.text("ApprovalDecided")


def test_breaking_it_twice_is_breaking_it_once_and_there_is_nothing_to_break_of_a_run_under_way() -> None:
    stage = asked()
    for _ in range(2):
        stage.request(break_glass="now")
    assert stage.types.count("ApprovalEscalated") == 1
    other = asked()
    other.decide()
    run_id = other.approval()["run_id"]
    other._invoke("control", {"op": "lock", "run_id": run_id, "incident_id": other.incident.id})
    with pytest.raises(Conflict, match="no approval is waited for"):
        other.request(break_glass="now")


def test_only_a_person_breaks_the_glass() -> None:
    with pytest.raises(InvalidInput, match="only a person"):
        Stage().request(actor=SYSTEM, break_glass="now")


def test_an_approval_for_a_run_that_another_stop_has_ended_is_gone() -> None:
    stage = asked()
    run_id = stage.approval()["run_id"]
    stage.change(status=Status.RESOLVED)
    stage._invoke("control", {"op": "gate", "stage": "approved", "run_id": run_id, "incident_id": stage.incident.id})
    stage.change(status=Status.ACKNOWLEDGED)
    with pytest.raises(Gone):
        stage.decide()


def test_an_approval_given_in_the_last_moment_counts_at_the_second_gate() -> None:
    """The machine timed out while the vote was being cast: the record decides, not who was faster."""
    stage = Stage()

    def late() -> None:
        stage.decide()
        stage.delivered[stage.incident.id] = len(
            stage.table.entries[stage.incident.id]
        )  # its event crosses with the timeout

    stage.people = late
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "succeeded"


def test_who_approved_before_the_question_went_round_again_counts_once() -> None:
    stage = asked(risk="destructive", approval={"timeout": "10m", "on_timeout": "escalate"})
    stage.decide(BOB)
    stage.clock.advance(minutes=10)
    second = {"op": "ask", "run_id": stage.approval()["run_id"], "incident_id": stage.incident.id, "turn": 2}
    stage._invoke("control", {**second, "token": "second"})
    with pytest.raises(Conflict, match="has decided already"):
        stage.decide(BOB)
    assert stage.decide(CAROL)["status"] == "approved"
    assert [d["actor"]["id"] for d in stage.approval()["decisions"]] == [BOB.id, CAROL.id]
