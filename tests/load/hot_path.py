"""CPU of the ingest handler with AWS's answers canned: what one core can take in."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.awsrequest import AWSResponse

from tests.e2e.world import World
from tests.load.counting import environment
from tests.load.requests_made import sqs_event
from tests.load.rows import Row, row

_BATCHES = 400
_BATCH = 10
_NEW = 300
_DESCRIPTION: dict[str, Any] = {
    "endpoint_url": "http://127.0.0.1:1",
    "region": "eu-west-1",
    "account": "111122223333",
    "access_key_id": "x",
    "secret_access_key": "x",
    "outputs": {
        "TableName": "bench",
        "IngestDlqUrl": "http://127.0.0.1:1/111122223333/dlq",
        "SignalTopicArn": "arn:aws:sns:eu-west-1:111122223333:signals",
    },
}


class _Answer:
    """Just enough of an HTTP body for botocore."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def measure() -> Iterator[Row]:
    world = World(_DESCRIPTION)
    with environment(_DESCRIPTION):
        from incidentio.aws.clients import client
        from incidentio.ingest.handler import handler

        answer = _Canned()
        client("dynamodb").meta.events.register("before-send.dynamodb", answer)

        answer.update = (200, {"Attributes": _pointer()})
        same = sqs_event([json.dumps(world.state_change("checkout-5xx", "ALARM"))] * _BATCH)
        duplicates = _cpu_seconds(lambda: handler(same, None), _BATCHES) / (_BATCHES * _BATCH)

        refused = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
        answer.update = (400, {"__type": refused, "message": "The conditional request failed"})
        fresh = [sqs_event([json.dumps(world.state_change(f"alarm-{n}", "ALARM"))]) for n in range(_NEW)]
        events = iter(fresh)
        new = _cpu_seconds(lambda: handler(next(events), None), _NEW) / _NEW
    yield row("ingest_events_per_cpu_second", 1 / duplicates)
    yield row("cpu_ms_per_duplicate", duplicates * 1000)
    yield row("cpu_ms_per_new_incident", new * 1000)


def _cpu_seconds(work: Callable[[], Any], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - start


class _Canned:
    """Answers DynamoDB requests before they leave the process."""

    def __init__(self) -> None:
        self.update: tuple[int, dict[str, Any]] = (200, {})

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        status, body = self.update if operation == "UpdateItem" else (200, {"Responses": {}, "UnprocessedKeys": {}})
        encoded = json.dumps(body).encode()
        headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(encoded))}
        return AWSResponse(request.url, status, headers, _Answer(encoded))


def _pointer() -> dict[str, Any]:
    return {
        "pk": {"S": "DEDUP#0123456789abcdef0123456789abcdef"},
        "sk": {"S": "POINTER"},
        "incident_id": {"S": "INC-7K3F9A"},
        "open": {"BOOL": True},
        "state": {"S": "firing"},
        "mode": {"S": "live"},
        "fence": {"S": "2026-03-01T12:00:00.000Z"},
        "count": {"N": "10"},
    }
