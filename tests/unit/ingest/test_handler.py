"""The function behind two doors: the queue, and alarms whose action it is."""

import json
from types import SimpleNamespace

import pytest

from incidentio.core.errors import Unavailable
from incidentio.core.signal import Mode
from incidentio.ingest import handler
from tests.unit.ingest.doors import Desk, sample

CONTEXT = SimpleNamespace(aws_request_id="req-1")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    desk.clock.advance(days=4)
    monkeypatch.setattr(handler, "_batch", lambda: desk.batch)
    return desk


def test_an_alarm_that_invokes_us_is_live(desk: Desk) -> None:
    answer = handler.handler(json.loads(sample("invocation_alarm")), CONTEXT)
    assert answer == {"batchItemFailures": []}
    assert (desk.incident.mode, desk.incident.mode_reason) == (Mode.LIVE, "its action is our ingest function")


def test_what_lambda_gave_up_is_read_when_it_is_sent_again(desk: Desk) -> None:
    body = sample("invocation_failed_destination")
    handler.handler({"Records": [{"messageId": "m1", "body": body}]}, CONTEXT)
    assert desk.incident.title == "checkout-errors"


def test_an_invocation_that_fails_is_left_to_lambda_and_a_message_to_the_queue(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise Unavailable("throttled")

    for operation in ("add", "commit", "get", "get_many", "write"):
        monkeypatch.setattr(desk.table, operation, down)
    with pytest.raises(Unavailable):
        handler.handler(json.loads(sample("invocation_alarm")), CONTEXT)
    answer = handler.handler({"Records": [{"messageId": "m1", "body": sample("invocation_alarm")}]}, CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert desk.dead_letters == []


def test_an_invocation_nobody_can_read_goes_to_the_dead_letters(desk: Desk) -> None:
    handler.handler({"hello": 1}, CONTEXT)
    ((body, reason),) = desk.dead_letters
    assert json.loads(body) == {"hello": 1}
    assert "neither an EventBridge event" in reason
