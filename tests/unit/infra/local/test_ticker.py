import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from infra.local.errors import LocalTargetError
from infra.local.ticker import Ticker
from tests.offline import offline_client

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RULE_ARN = "arn:aws:events:us-east-1:000000000000:rule/sweep"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:sweeper"
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:notify"
QUEUE_URL = "http://127.0.0.1:1/000000000000/notify"


class Sweep:
    """A ticker over stubbed services; every answer that is set must be asked for."""

    def __init__(self, stack: ExitStack) -> None:
        self._clients = {name: offline_client(name, region="us-east-1") for name in ("events", "lambda", "sqs")}
        self.answers = {name: stack.enter_context(Stubber(client)) for name, client in self._clients.items()}
        self.ticker = Ticker(
            rule="sweep",
            events=self._clients["events"],
            functions=self._clients["lambda"],
            queues=self._clients["sqs"],
        )

    def rule(self, *targets: dict[str, Any], state: str = "ENABLED") -> None:
        self.answers["events"].add_response("describe_rule", {"Arn": RULE_ARN, "State": state}, {"Name": "sweep"})
        if state == "ENABLED":
            self.answers["events"].add_response("list_targets_by_rule", {"Targets": list(targets)}, {"Rule": "sweep"})

    def tick(self) -> None:
        self.ticker.tick(NOW)
        for answers in self.answers.values():
            answers.assert_no_pending_responses()


@pytest.fixture
def sweep() -> Iterator[Sweep]:
    with ExitStack() as stack:
        yield Sweep(stack)


def test_a_function_is_invoked_in_the_background_with_the_targets_input(sweep: Sweep) -> None:
    sweep.rule({"Id": "1", "Arn": FUNCTION_ARN, "Input": '{"sweep": true}'})
    sweep.answers["lambda"].add_response(
        "invoke",
        {"StatusCode": 202},
        {"FunctionName": FUNCTION_ARN, "Payload": b'{"sweep": true}'},
    )
    sweep.tick()


def test_a_queue_gets_a_message(sweep: Sweep) -> None:
    sweep.rule({"Id": "1", "Arn": QUEUE_ARN, "Input": '{"sweep": true}'})
    sweep.answers["sqs"].add_response(
        "get_queue_url",
        {"QueueUrl": QUEUE_URL},
        {"QueueName": "notify", "QueueOwnerAWSAccountId": "000000000000"},
    )
    sweep.answers["sqs"].add_response("send_message", {}, {"QueueUrl": QUEUE_URL, "MessageBody": '{"sweep": true}'})
    sweep.tick()


def test_a_target_without_input_gets_the_scheduled_event(sweep: Sweep) -> None:
    sent: list[bytes] = []
    sweep.rule({"Id": "1", "Arn": FUNCTION_ARN})
    sweep.answers["lambda"].add_response("invoke", {"StatusCode": 202})
    sweep.ticker._functions.meta.events.register(
        "provide-client-params.lambda.Invoke", lambda params, **_: sent.append(params["Payload"])
    )
    sweep.tick()
    event = json.loads(sent[0])
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == [RULE_ARN]
    assert event["time"] == "2026-01-02T03:04:05Z"


def test_a_disabled_rule_does_nothing(sweep: Sweep) -> None:
    sweep.rule({"Id": "1", "Arn": FUNCTION_ARN}, state="DISABLED")
    sweep.tick()


def test_an_unknown_kind_of_target_is_named(sweep: Sweep) -> None:
    sweep.rule({"Id": "1", "Arn": "arn:aws:kinesis:us-east-1:000000000000:stream/s"})
    with pytest.raises(LocalTargetError, match="kinesis"):
        sweep.tick()
