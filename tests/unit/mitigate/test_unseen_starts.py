"""What AWS lists late: an undo that does not see it looks again, and says so when it never does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from incidentio.core.errors import Forbidden, Unavailable
from incidentio.mitigate.control.caught import cause_of
from tests.unit.mitigate.stage import Stage, killed

BOOK: dict[str, Any] = {
    "risk": "safe",
    "targets": {"type": "AWS::SSM::Document", "max": {"count": 1}},
    "steps": [{"action": "run-automation", "with": {"prefix": "ops-", "role": "runbooks"}}],
}


class Automation:
    """Systems Manager: what was started is listed after `hidden` more looks at the list; `trouble` meets each start."""

    def __init__(self, *trouble: Exception | None, hidden: int = 0) -> None:
        self.trouble, self.hidden = list(trouble), hidden
        self.started: dict[str, str] = {}
        self.stopped: list[str] = []
        self.looks = 0

    def __call__(self, service: str, operation: str, /, **given: Any) -> dict[str, Any]:
        return getattr(self, operation)(**given) or {}

    def describe_document(self, **_: Any) -> dict[str, Any]:
        parameters = [{"Name": "AutomationAssumeRole", "Type": "String"}]
        return {"Document": {"DocumentType": "Automation", "Status": "Active", "Parameters": parameters}}

    def start_automation_execution(self, *, ClientToken: str, **_: Any) -> None:  # noqa: N803
        trouble = self.trouble.pop(0) if self.trouble else None
        if not isinstance(trouble, Forbidden):
            self.started[f"execution-{len(self.started) + 1}"] = ClientToken
        if trouble:
            raise trouble

    def describe_automation_executions(self, **_: Any) -> dict[str, Any]:
        self.looks += 1
        if self.started and self.hidden:
            self.hidden -= 1
            return {}
        fields = {"DocumentName": "ops-restart", "ExecutionStartTime": datetime(2026, 3, 1, tzinfo=UTC)}
        status = {"AutomationExecutionStatus": "InProgress"}
        return {
            "AutomationExecutionMetadataList": [
                {"AutomationExecutionId": id, **fields, **status} for id in self.started if id not in self.stopped
            ]
        }

    def list_tags_for_resource(self, *, ResourceId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        mark = self.started.get(ResourceId)
        return {"TagList": [{"Key": "incidentio:run", "Value": mark}] if mark else []}

    def stop_automation_execution(self, *, AutomationExecutionId: str, **_: Any) -> None:  # noqa: N803
        self.stopped.append(AutomationExecutionId)


def ended(ssm: Automation, **at: Any) -> tuple[Stage, Any]:
    stage = Stage(BOOK, call=ssm)
    stage.at = at
    run = stage.request(target="ops-restart")
    for _ in range(4):
        stage.play()
        stage.clock.advance(minutes=1)
        stage.sweep()
    return stage, stage.run(run)


def test_an_undo_in_the_moment_before_it_is_listed_stops_it_all_the_same() -> None:
    ssm = Automation(hidden=4)
    _, run = ended(ssm, Step1Confirm=killed)
    assert (run.status, run.steps[0].status) == ("rolled_back", "stays")
    assert ssm.stopped == list(ssm.started)


def test_a_start_that_is_never_listed_is_a_failed_rollback_with_the_command() -> None:
    ssm = Automation(Unavailable("ssm start_automation_execution: ReadTimeoutError"), hidden=1000)
    stage, run = ended(ssm, Step1Confirm=killed)
    assert (run.status, run.steps[0].status) == ("rollback_failed", "failed")
    text = stage.text("RollbackFailed")
    assert "it is not known whether runbook ops-restart was started with mark" in text
    assert "aws ssm stop-automation-execution" in text


def test_a_refused_start_is_over_at_once() -> None:
    ssm = Automation(Forbidden("ssm start_automation_execution: AccessDeniedException"))
    _, run = ended(ssm)
    assert (run.status, run.steps[0].status) == ("rolled_back", "already")
    assert "AccessDeniedException" in run.reason
    looks = ssm.looks
    assert looks == 4, "one each for snapshot, apply, verify and undo"


def test_a_refusal_after_a_try_that_may_have_started_it_is_none() -> None:
    lost, denied = Unavailable("ReadTimeoutError"), Forbidden("AccessDeniedException")
    _, run = ended(Automation(lost, denied, hidden=1000))
    assert (run.status, run.steps[0].status) == ("rollback_failed", "failed")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            'Unavailable: {"errorMessage": "a \\"b\\" is late", "errorType": "Unavailable", "stack',
            'Unavailable: a "b" is late',
        ),
        ('Unavailable: {"errorMessage": "cut sho', "Unavailable: cut sho"),
        ("States.Timeout: ", "States.Timeout: "),
        ('Odd: {"errorMessage": "\\u12', 'Odd: {"errorMessage": "\\u12'),
    ],
)
def test_of_a_functions_failure_its_message_is_told(told: str, said: str) -> None:
    assert cause_of(told) == said
