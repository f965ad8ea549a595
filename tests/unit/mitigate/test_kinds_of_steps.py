"""Steps that are not just one after the other: conditions, waits, people, branches, several targets."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, Gone, InvalidInput
from incidentio.core.incident import Status
from incidentio.core.severity import Severity
from incidentio.mitigate.keys import lock_key
from incidentio.mitigate.switches import set_switch
from tests.make import ALICE, BOB
from tests.unit.mitigate.interpreter import TaskError
from tests.unit.mitigate.stage import TARGET, Stage, killed

RULE = {"id": "rule", "action": "disable-rule", "with": {"rule": "loop"}}
CAP = {"id": "cap", "action": "set-reserved-concurrency", "with": {"value": "${limit}"}}
TELL = {"manual": "Tell the shop", "commands": ["echo down"], "undo": ["echo up again"], "timeout": "20m"}
ORDERS = TARGET.replace("checkout", "orders")


def staged(*steps: dict[str, Any], **changes: Any) -> Stage:
    stage = Stage({"risk": "safe", "steps": list(steps), **changes})
    stage.waits = lambda _: stage.incident.firing and stage.types.count("StepApplied") and stage.recovered()
    return stage


def statuses(stage: Stage, run: Any) -> list[str]:
    return [step.status for step in stage.run(run).steps]


@pytest.mark.parametrize(
    ("conditions", "applied"),
    [
        (['limit="10"'], True),
        (['limit="11"'], False),
        (['severity="SEV1"'], True),
        (['severity="SEV1"', 'dim_FunctionName="other"'], False),
        (['rule="applied"'], True),
        (['rule="unchanged"'], False),
        (['rule.before="ENABLED"', 'rule.after="DISABLED"'], True),
        (['rule.said=~".*loop.*DISABLED"'], True),
        (['limit!=""', 'limit!~"1."'], False),
    ],
)
def test_a_condition_on_a_parameter_a_fact_or_a_step_before(conditions: list[str], applied: bool) -> None:
    stage = staged(RULE, {**CAP, "if": conditions})
    stage.change(severity=Severity.SEV1)
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "succeeded"
    assert statuses(stage, run) == ["applied", "applied" if applied else "skipped"]
    assert stage.estate.reserved == (10 if applied else 50)


def test_a_condition_is_decided_once() -> None:
    stage = staged({**CAP, "if": ['severity="SEV1"']}, RULE)
    run = stage.request()
    stage._invoke("control", {"op": "lock", "run_id": run.run_id, "incident_id": run.incident_id})
    begin = {"op": "begin", "step": 1, "run_id": run.run_id, "incident_id": run.incident_id}
    assert stage._invoke("control", begin)["decision"] == "skip"
    stage.change(severity=Severity.SEV1)
    assert stage._invoke("control", begin)["decision"] == "skip"


def test_what_was_skipped_is_not_undone() -> None:
    stage = staged({**CAP, "if": ['limit="99"']}, RULE)
    stage.waits = lambda _: None
    run = stage.request()
    stage.play()
    assert statuses(stage, run) == ["skipped", "restored"]
    assert stage.estate.writes == ["events:DisableRule", "events:EnableRule"]


def test_a_wait_takes_its_time_and_reads_the_flags() -> None:
    stage = staged(RULE, {"wait": "2m"}, CAP)
    waited: list[int] = []
    stage.waits = lambda seconds: waited.append(seconds) or (len(waited) == 4 and stage.recovered())
    began = stage.clock()
    run = stage.request()
    stage.play()
    assert statuses(stage, run) == ["applied", "done", "applied"]
    assert waited[:4] == [30] * 4
    assert (stage.clock() - began).total_seconds() >= 120


def test_a_kill_switch_during_a_wait_ends_it_there() -> None:
    stage = staged(RULE, {"wait": "1h"}, CAP)
    stage.at["Step2Idle"] = lambda: set_switch(stage.table, "global", True, ALICE, "stop", now=stage.clock())
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, statuses(stage, run)) == ("rolled_back", ["restored", "pending", "pending"])
    assert stage.executions.visited[run.run_id].count("Step2Pause") == 1


def test_a_person_does_a_step_and_is_on_record() -> None:
    stage = staged(RULE, TELL, CAP)
    stage.people = lambda: stage.decide(ALICE, reason="on the status page")
    run = stage.request(actor=ALICE)
    stage.play()
    done = stage.run(run)
    assert (done.status, statuses(stage, run)) == ("succeeded", ["applied", "done", "applied"])
    assert done.steps[1].summary == f"done by {ALICE.id}: Tell the shop (on the status page)"
    asked = stage.data("ManualStepRequested")
    assert asked["commands"] == ["echo down"]
    assert asked["approval_id"] == done.steps[1].answer_id
    assert "token" not in str(stage.table.entries[stage.incident.id])
    with pytest.raises(Conflict, match="already approved"):
        stage.decide(BOB)


@pytest.mark.parametrize(
    ("answer", "reason", "known"),
    [
        (
            lambda stage: stage.decide(BOB, "reject", "no access"),
            "user/bob says that this was not done: Tell the shop",
            True,
        ),
        (lambda stage: None, "it is not known whether this was done: Tell the shop", False),
        (lambda stage: stage.change(status=Status.CANCELLED), "it is not known whether this was done", False),
    ],
)
def test_what_nobody_did_stops_the_run_and_gives_back(answer: Any, reason: str, known: bool) -> None:
    stage = staged(RULE, TELL, CAP)
    stage.people = lambda: answer(stage)
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.rule) == ("rolled_back", "ENABLED")
    assert reason in stage.run(run).reason
    assert ("UndoLeftToPeople" not in stage.types) == known
    assert statuses(stage, run)[1] == ("skipped" if known else "stays")


def test_what_a_person_may_have_done_is_never_called_nothing() -> None:
    stage = staged(TELL, RULE)
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"
    assert "it is not known whether a person did this: Tell the shop" in stage.text("UndoLeftToPeople")
    assert stage.data("UndoLeftToPeople")["commands"] == ["echo up again"]


def test_a_run_that_dies_while_a_person_is_asked_says_that_it_does_not_know() -> None:
    stage = staged(TELL, RULE)
    stage.people = killed
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, statuses(stage, run)) == ("rolled_back", ["stays", "pending"])


def test_what_a_person_did_is_left_to_people_when_the_run_is_undone() -> None:
    stage = staged(TELL, RULE)
    stage.people = lambda: stage.decide(BOB)
    stage.waits = lambda _: None
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, statuses(stage, run)) == ("rolled_back", ["stays", "restored"])
    assert stage.data("UndoLeftToPeople")["commands"] == ["echo up again"]
    assert "only a person can undo it" in stage.text("UndoLeftToPeople")


def test_a_decision_about_a_step_whose_event_was_lost_is_found_by_the_sweep() -> None:
    stage = staged(TELL, RULE)

    def answer() -> None:
        stage.decide(BOB)
        stage.delivered[stage.incident.id] = len(stage.table.entries[stage.incident.id])
        stage.sweep()

    stage.people = answer
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "succeeded"


def test_branches_are_all_done_before_it_goes_on() -> None:
    stage = staged({"parallel": [[RULE, {"wait": "1m"}], [CAP]]}, {**RULE, "id": "again"})
    run = stage.request()
    stage.play()
    assert statuses(stage, run) == ["applied", "done", "applied", "applied"]
    visited = stage.executions.visited[run.run_id]
    assert visited.index("Step3Apply") < visited.index("Step2Idle") < visited.index("Step4Begin")


def test_a_branch_that_fails_lets_the_others_end_their_call_and_all_is_undone_in_reverse() -> None:
    stage = staged({"parallel": [[RULE], [CAP, {**RULE, "id": "later"}]]})
    invoke, rolled = stage._invoke, []

    def invoked(arn: str, payload: dict[str, Any]) -> Any:
        if payload["op"] == "apply" and payload["step"] == 1:
            raise TaskError("Runtime.ExitError", "killed")
        if payload["op"] == "rollback":
            rolled.append(payload["step"])
        return invoke(arn, payload)

    stage._invoke = invoked
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"
    assert "Runtime.ExitError: killed" in stage.run(run).reason
    assert rolled == [2, 1]
    assert statuses(stage, run)[2] == "pending", "no branch begins anything more"
    assert (stage.estate.rule, stage.estate.reserved) == ("ENABLED", 50)


@pytest.mark.parametrize("state", ["Parallel1Join", "Step1Confirm", "Step2Keep", "Step2Apply"])
def test_an_execution_killed_among_branches_is_recovered(state: str) -> None:
    stage = staged({"parallel": [[RULE], [CAP]]})
    stage.at[state] = killed
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"
    assert (stage.estate.rule, stage.estate.reserved) == ("ENABLED", 50)


def test_for_each_value() -> None:
    stage = staged({"foreach": [40, 30], "steps": [{**CAP, "with": {"value": "${item}"}}]})
    stage.waits = lambda _: None
    run = stage.request()
    stage.play()
    assert [(s.before, s.after, s.status) for s in stage.run(run).steps] == [(50, 40, "restored"), (40, 30, "restored")]
    assert stage.estate.reserved == 50, "given back through every value it had"


EACH = {"foreach": "targets", "steps": [CAP]}
THREE = {"targets": {"type": "AWS::Lambda::Function", "max": {"count": 3}}}


def test_for_each_target_with_a_lock_on_every_one() -> None:
    stage = staged(EACH, **THREE)
    run = stage.request(target="checkout, orders,checkout")
    assert stage.run(run).all_targets == (TARGET, ORDERS)
    locked: list[Any] = []
    stage.at["Step2Begin"] = lambda: locked.extend(stage.table.records[lock_key(t)]["run_id"] for t in (TARGET, ORDERS))
    stage.play()
    assert locked == [run.run_id] * 2
    assert statuses(stage, run)[2] == "skipped"
    assert [s.target for s in stage.run(run).steps] == [TARGET, ORDERS, ""]
    assert "checkout, orders" in stage.text("PlaybookStarted")


def test_one_target_in_other_hands_refuses_all_of_them() -> None:
    stage = staged(EACH, **THREE)
    first = stage.request(target="orders")
    stage._invoke("control", {"op": "lock", "run_id": first.run_id, "incident_id": first.incident_id})
    second = stage.request(target="checkout,orders")
    ask = {"op": "lock", "run_id": second.run_id, "incident_id": second.incident_id}
    assert stage._invoke("control", ask)["decision"] == "refuse"
    assert lock_key(TARGET) not in stage.table.records
    assert stage.table.records[lock_key(ORDERS)]["run_id"] == first.run_id


def test_more_targets_than_it_may_have_are_refused_at_once() -> None:
    stage = staged(EACH, **THREE)
    with pytest.raises(InvalidInput, match="at most 3 targets, and these are 4"):
        stage.request(target="a,b,c,d")


def test_a_dry_run_tells_every_kind_of_step() -> None:
    stage = staged({**RULE, "if": ['limit="99"']}, {"wait": "1m"}, TELL, {**CAP, "if": ['rule="applied"']})
    run = stage.request(dry_run=True)
    stage.play()
    told = [row["summary"] for row in stage.run(run).plan]
    assert stage.run(run).status == "planned"
    assert told[:3] == [
        'skipped: limit="99" did not hold',
        "wait 60 s",
        "a person does this: Tell the shop",
    ]
    assert told[3].startswith('if rule="applied": reserved concurrency')
    assert not stage.estate.writes


def test_what_is_asked_of_people_cannot_be_answered_once_the_run_gives_back() -> None:
    stage = staged(TELL, RULE)
    refused: list[str] = []

    def late() -> None:
        with pytest.raises(Gone):
            stage.decide(BOB)
        refused.append("gone")

    stage.at["UndoNext"] = late
    stage.request()
    stage.play()
    assert refused == ["gone"]


def test_who_approves_several_targets_is_told_all_of_them() -> None:
    stage = staged(EACH, **THREE, risk="disruptive")
    stage.people = lambda: stage.decide(BOB)
    stage.request(target="checkout,orders")
    stage.play()
    assert stage.approval()["targets"] == [TARGET, ORDERS]
    assert stage.data("ApprovalRequested")["targets"] == [TARGET, ORDERS]
    assert "on checkout, orders (limit=10)" in stage.text("ApprovalRequested")
