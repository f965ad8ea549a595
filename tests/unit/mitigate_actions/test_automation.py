"""A runbook: found again by its mark, followed to whatever its end is, and stopped only where it is ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentio.core.errors import Conflict, Forbidden, InvalidInput, Unavailable
from incidentio.mitigate.actions import Action, compare_and_set, permissions_for, prepared
from incidentio.mitigate.actions.request import answer, parse_request
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import ARN, PLACE
from tests.unit.mitigate_actions.test_registry import playbook

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MARK = "11111111-0000-4000-8000-000000000000"


def action(runbook: str = "ops-restart", **given: Any) -> Action[Any]:
    target = f"AWS::SSM::Document|{PLACE.account}|{PLACE.region}|{runbook}"
    return prepared("run-automation", {"prefix": "ops-", "role": "runbooks", **given}, target, PLACE)


def execution(number: int, status: str = "InProgress", **more: Any) -> dict[str, Any]:
    return {
        "AutomationExecutionId": f"{number:08d}-0000-4000-8000-000000000000",
        "DocumentName": "ops-restart",
        "AutomationExecutionStatus": status,
        "ExecutionStartTime": NOON + timedelta(minutes=number),
        **more,
    }


def aws(*executions: dict[str, Any], marks: dict[int, str] | None = None, **changed: Any) -> Answers:
    """The executions, one a page; those in `marks` are ours."""
    tags = {execution(number)["AutomationExecutionId"]: mark for number, mark in (marks or {}).items()}

    def listed(NextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        start = int(NextToken)
        more = {"NextToken": str(start + 1)} if start + 1 < len(executions) else {}
        return {"AutomationExecutionMetadataList": list(executions[start : start + 1]), **more}

    def tagged(ResourceId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        mark = tags.get(ResourceId)
        return {"TagList": [{"Key": "incidentio:run", "Value": mark}] if mark else []}

    role = {"Name": "AutomationAssumeRole", "Type": "String"}
    document = {"DocumentType": "Automation", "Status": "Active", "Parameters": [role]}
    answers: dict[str, Any] = {
        "describe_automation_executions": listed,
        "list_tags_for_resource": tagged,
        "describe_document": {"Document": document},
        "start_automation_execution": {"AutomationExecutionId": execution(9)["AutomationExecutionId"]},
        "stop_automation_execution": {},
    }
    return Answers(**{**answers, **changed})


def snapshot(before: str | None = None) -> dict[str, Any]:
    return {"before": before, "after": MARK}


def test_asking_twice_starts_one() -> None:
    call = aws()
    taken = compare_and_set.snapshot(action(), call)["snapshot"]
    for _ in range(2):  # the second time it is not listed yet
        compare_and_set.apply(action(), call, taken)
    first, second = call.of("start_automation_execution")
    assert first == second
    assert first["ClientToken"] == first["Tags"][0]["Value"] == taken["after"]
    assert first["Parameters"] == {"AutomationAssumeRole": ["arn:aws:iam::111122223333:role/runbooks"]}


def test_what_is_under_way_is_not_started_again() -> None:
    call = aws(execution(1), marks={1: MARK})
    assert compare_and_set.apply(action(), call, snapshot())["applied"]
    assert not call.of("start_automation_execution")


def test_the_newest_of_ours_counts_and_nobody_elses() -> None:
    other = execution(4, DocumentName="ops-restart-all")
    child = execution(5, ParentAutomationExecutionId="0" * 36)
    call = aws(execution(1), execution(3), execution(2), other, child, marks={1: "old", 2: MARK, 4: "x", 5: "y"})
    assert compare_and_set.snapshot(action(), call)["snapshot"]["before"] == MARK


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Waiting", "PendingApproval"])
def test_it_is_followed(status: str) -> None:
    call = aws(execution(1, status, CurrentStepName="restart"), marks={1: MARK})
    answer = compare_and_set.verify(action(), call, snapshot())
    assert not answer["verified"]
    assert "at step restart" in answer["summary"]


@pytest.mark.parametrize("status", ["Success", "CompletedWithSuccess"])
def test_it_is_done(status: str) -> None:
    assert compare_and_set.verify(action(), aws(execution(1, status), marks={1: MARK}), snapshot())["verified"]


@pytest.mark.parametrize("status", ["Failed", "TimedOut", "Cancelled", "Rejected", "CompletedWithFailure", "Exited"])
def test_another_end_is_told_at_once(status: str) -> None:
    ended = execution(1, status, CurrentStepName="restart", FailureMessage="no such instance")
    with pytest.raises(Conflict, match=f"ops-restart ended as {status} at step restart: no such instance"):
        compare_and_set.verify(action(), aws(ended, marks={1: MARK}), snapshot())


def test_what_still_runs_is_stopped_and_what_it_did_is_said_to_stay() -> None:
    call = aws(execution(1), execution(2), marks={1: MARK})
    answer = compare_and_set.rollback(action(), call, snapshot())
    assert answer["result"] == "stays"
    assert "what it had done by then stays" in answer["summary"]
    (stopped,) = call.of("stop_automation_execution")
    assert stopped == {"AutomationExecutionId": execution(1)["AutomationExecutionId"], "Type": "Cancel"}


def test_what_has_ended_cannot_be_stopped_and_that_is_fine() -> None:
    over = Conflict("ssm stop_automation_execution: InvalidAutomationStatusUpdateException")
    call = aws(execution(1, "Success"), marks={1: MARK}, stop_automation_execution=over)
    assert compare_and_set.rollback(action(), call, snapshot())["result"] == "stays"


def test_one_that_left_the_list_is_looked_for_again() -> None:
    for ask in (action().pending, action().halt):
        with pytest.raises(Unavailable, match="is not listed yet"):
            ask(aws(), MARK)


@pytest.mark.parametrize("before", [None, "old"])
def test_a_start_that_nobody_sees_may_be_seen_later(before: str | None) -> None:
    call = aws(execution(1), marks={1: "old"}) if before else aws()
    with pytest.raises(Unavailable, match=f"not known whether runbook ops-restart was started with mark {MARK}"):
        compare_and_set.rollback(action(), call, snapshot(before))


def test_what_was_refused_for_certain_never_started_and_needs_no_stop() -> None:
    call = aws()
    assert compare_and_set.rollback(action(), call, {**snapshot(), "refused": True})["result"] == "already"
    assert not call.of("stop_automation_execution")


@pytest.mark.parametrize(
    ("tried", "certain"),
    [({"first": True}, True), ({"first": False}, False), ({}, False), ({"first": True, "redriven": True}, False)],
)
def test_a_refusal_is_certain_when_nothing_was_tried_before(tried: dict[str, bool], certain: bool) -> None:
    request = {
        "op": "apply",
        "run_id": "RUN-7K3F9A-00000001",
        "step": 1,
        "action": "run-automation",
        "with": {"prefix": "ops-", "role": "runbooks"},
        "target": f"AWS::SSM::Document|{PLACE.account}|{PLACE.region}|ops-restart",
        "snapshot": snapshot(),
        **tried,
    }
    denied = Forbidden("ssm start_automation_execution: AccessDeniedException")
    told = answer(parse_request(request), call=aws(start_automation_execution=denied), place=PLACE)
    assert (told["applied"], told["certain"]) == (False, certain)


def test_only_runbooks_of_that_name() -> None:
    with pytest.raises(Forbidden, match="the names of those that may begin with ops-"):
        compare_and_set.snapshot(action("AWS-TerminateEC2Instance"), aws())


def test_a_runbook_that_would_not_run_as_its_role_is_refused() -> None:
    document = {"DocumentType": "Automation", "Status": "Active", "Parameters": []}
    call = aws(describe_document={"Document": document})
    with pytest.raises(Conflict, match="takes no AutomationAssumeRole"):
        compare_and_set.snapshot(action(), call)
    assert compare_and_set.snapshot(action(role=""), call)["snapshot"]["after"]


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ("InstanceId=i-1", "is not JSON"),
        ("[]", "is no object of texts"),
        ('{"Count": 3}', "is no object of texts"),
        ('{"AutomationAssumeRole": "admin"}', "the playbook says the role"),
    ],
)
def test_inputs_are_read_before_anything_starts(inputs: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        action(inputs=inputs)


def test_the_right_is_on_those_runbooks_and_to_stop_our_own() -> None:
    def rights(prefix: str) -> dict[str, Any]:
        book = playbook(
            {"action": "run-automation", "with": {"prefix": prefix, "role": "runbooks"}}, type="AWS::SSM::Document"
        )
        place = {"partition": PLACE.partition, "account": PLACE.account, "region": PLACE.region}
        return {action: statement for statement in permissions_for(book, **place) for action in statement.actions}

    ours = rights("ops-")
    assert ours["ssm:StartAutomationExecution"].resources == (
        ARN("ssm", "document/ops-*"),
        ARN("ssm", "automation-execution/*"),
    )
    assert ours["ssm:StopAutomationExecution"].conditions == {"Null": {"aws:ResourceTag/incidentio:run": "false"}}
    assert ours["iam:PassRole"].resources == ("arn:aws:iam::111122223333:role/runbooks",)
    assert rights("AWS-Restart")["ssm:DescribeDocument"].resources == ("arn:aws:ssm:eu-west-1::document/AWS-Restart*",)
