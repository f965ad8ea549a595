"""Step Functions, the kill switch and alarm states: every call checked against botocore's own model."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from incidentio.aws.alarm_state import CloudWatchAlarms
from incidentio.aws.executions import StepFunctions
from incidentio.aws.kill_switch import ParameterKillSwitch
from incidentio.core.errors import Forbidden, NotFound, Unavailable
from tests.offline import offline_client

PREFIX = "arn:aws:states:eu-west-1:111122223333:stateMachine:incidentio-"
NAME = "RUN-7K3F9A-0123ABCD"
START = {"stateMachineArn": PREFIX + "throttle-function", "name": NAME, "input": '{"mode": "run"}'}
EXECUTION = "arn:aws:states:eu-west-1:111122223333:execution:incidentio-throttle-function:" + NAME
Stub = Callable[[str], tuple[Callable[[], Any], Stubber]]


@pytest.fixture
def stub(request: pytest.FixtureRequest) -> Stub:
    """A client that answers only what a test told it to; what was not asked for fails the test."""

    def made(service: str) -> tuple[Callable[[], Any], Stubber]:
        client = offline_client(service)
        stubber = Stubber(client)
        stubber.activate()
        request.addfinalizer(stubber.assert_no_pending_responses)
        return lambda: client, stubber

    return made


def test_a_start(stub: Stub) -> None:
    client, stubber = stub("stepfunctions")
    stubber.add_response("start_execution", {"executionArn": EXECUTION, "startDate": 0}, START)
    assert StepFunctions(client, PREFIX).start("throttle-function", NAME, {"mode": "run"}) is True


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ExecutionAlreadyExists", False),
        ("StateMachineDoesNotExist", NotFound),
        ("StateMachineDeleting", NotFound),
        ("ThrottlingException", Unavailable),
        ("AccessDeniedException", Forbidden),
    ],
)
def test_a_start_that_aws_refuses(stub: Stub, code: str, expected: Any) -> None:
    client, stubber = stub("stepfunctions")
    stubber.add_client_error("start_execution", code)
    machines = StepFunctions(client, PREFIX)
    if expected is False:
        assert machines.start("throttle-function", NAME, {}) is False
    else:
        with pytest.raises(expected):
            machines.start("throttle-function", NAME, {})


def test_a_status(stub: Stub) -> None:
    client, stubber = stub("stepfunctions")
    known = {"executionArn": EXECUTION, "stateMachineArn": START["stateMachineArn"], "status": "FAILED", "startDate": 0}
    stubber.add_response("describe_execution", known, {"executionArn": EXECUTION})
    stubber.add_client_error("describe_execution", "ExecutionDoesNotExist")
    machines = StepFunctions(client, PREFIX)
    assert [machines.status("throttle-function", NAME) for _ in range(2)] == ["FAILED", None]


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_an_answer_nobody_waits_for_is_harmless(stub: Stub, code: str) -> None:
    client, stubber = stub("stepfunctions")
    stubber.add_client_error("send_task_success", code)
    stubber.add_response("send_task_success", {}, {"taskToken": "t", "output": '{"status": "approved"}'})
    machines = StepFunctions(client, PREFIX)
    assert [machines.answer("t", {"status": "approved"}) for _ in range(2)] == [False, True]


def test_an_answer_that_fails_is_tried_again(stub: Stub) -> None:
    client, stubber = stub("stepfunctions")
    stubber.add_client_error("send_task_success", "InternalServerException")
    with pytest.raises(Unavailable):
        StepFunctions(client, PREFIX).answer("t", {})


def test_the_kill_switch(stub: Stub) -> None:
    client, stubber = stub("ssm")
    stubber.add_response("get_parameter", {"Parameter": {"Value": "on"}}, {"Name": "/incidentio/kill-switch"})
    stubber.add_client_error("get_parameter", "ParameterNotFound")
    switch = ParameterKillSwitch(client, "/incidentio/kill-switch")
    assert switch.value() == "on"
    with pytest.raises(NotFound):
        switch.value()


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"MetricAlarms": [{"StateValue": "ALARM"}]}, "ALARM"),
        ({"CompositeAlarms": [{"StateValue": "OK"}]}, "OK"),
        ({"LogAlarms": [{"StateValue": "ALARM"}]}, "ALARM"),
        ({}, None),
    ],
)
def test_the_state_of_an_alarm(stub: Stub, answer: dict[str, Any], state: str | None) -> None:
    client, stubber = stub("cloudwatch")
    asked = {"AlarmNames": ["worse"], "AlarmTypes": ["CompositeAlarm", "MetricAlarm", "LogAlarm"]}
    stubber.add_response("describe_alarms", answer, asked)
    assert CloudWatchAlarms(client).state("worse") == state
