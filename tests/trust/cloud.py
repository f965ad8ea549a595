"""AWS in this process, behind real botocore clients: what is asked is answered, and a hazard may strike at any call.

Requests are caught at botocore's `before-send`, so the clients' own retries, time-outs and error parsing are at work.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from incidentio.aws.clients import _CONFIG as _OURS
from tests.trust.dynamodb import Fault, MemoryDynamo

REGION = "eu-west-1"
_CONFIG = _OURS.merge(Config(signature_version=UNSIGNED))
"""Nobody looks at a signature here, and it costs a fifth of a call."""
_SERVICES = ("dynamodb", "sqs", "sns", "events", "cloudwatch")
_THROTTLED = "ProvisionedThroughputExceededException"
_CONFLICTS = {
    "TransactWriteItems": "TransactionCanceledException",
    **dict.fromkeys(("UpdateItem", "PutItem", "DeleteItem"), "TransactionConflictException"),
}
_session = botocore.session.get_session()


class Killed(BaseException):
    """The process is gone, as after SIGKILL: nothing of ours may catch this."""


class Strike(StrEnum):
    """What happens at a call instead of a plain answer."""

    KILL_BEFORE = "kill before"  # the process dies and AWS never hears of it
    KILL_AFTER = "kill after"  # AWS did it, and the process dies before it knows
    LOST = "lost"  # AWS did it, and the answer never comes
    THROTTLED = "throttled"
    BROKEN = "broken"  # 500
    CONFLICT = "conflict"  # DynamoDB: another transaction holds the item; elsewhere: 500
    OVERTAKEN = "overtaken"  # another worker does all its work before this call gets through
    PARTIAL = "partial"  # PutEvents and SendMessageBatch: some are refused; elsewhere: 500


Hazard = Callable[[int, str], Strike | None]
"""Number of the call (from 1) and operation → what strikes."""


def nobody() -> None:
    """No other worker."""


def safe(_number: int, _operation: str) -> Strike | None:
    return None


@dataclass
class Cloud:
    """`bus`, `published` and `sent` are what the other services were handed, in order."""

    hazard: Hazard = safe
    overtake: Callable[[], None] = nobody
    dynamo: MemoryDynamo = field(default_factory=MemoryDynamo)
    bus: list[dict[str, Any]] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    in_flight: str | None = None
    """The page that is published and not yet recorded."""
    may_repeat: list[str] = field(default_factory=list)
    """Pages published and not recorded when the process died, or when nobody knew whether they were."""

    def forked(self, hazard: Hazard = safe) -> "Cloud":
        """Another one that has all that is here, and counts its calls anew."""
        return Cloud(
            hazard,
            dynamo=self.dynamo.forked(),
            bus=list(self.bus),
            published=list(self.published),
            sent=list(self.sent),
            may_repeat=list(self.may_repeat),
        )

    def answer(self, service: str, operation: str, request: dict[str, Any]) -> tuple[int, bytes]:
        """HTTP status and body. Raises: Killed. ReadTimeoutError: AWS did it and does not say so."""
        self.calls.append(operation)
        strike = self.hazard(len(self.calls), operation)
        if strike:
            self.struck.append(f"{len(self.calls)} {operation}: {strike}")
        if strike is Strike.KILL_BEFORE:
            self._died()
        if strike is Strike.OVERTAKEN:
            own, self.in_flight = self.in_flight, None
            self.overtake()
            self.in_flight = own
        if refused := _refusal(strike, service, operation):
            return refused
        status, body = getattr(self, f"_{service}")(operation, request, strike)
        if strike is Strike.KILL_AFTER:
            self._died()
        if strike is Strike.LOST:
            if self.in_flight and operation == "Publish":
                self.may_repeat.append(self.in_flight)
            raise ReadTimeoutError(endpoint_url=f"https://{service}.{REGION}.amazonaws.com")
        return status, body

    def _died(self) -> None:
        if self.in_flight:
            self.may_repeat.append(self.in_flight)
        self.in_flight = None
        raise Killed(self.struck[-1])

    def _dynamodb(self, operation: str, request: dict[str, Any], _strike: Strike | None) -> tuple[int, bytes]:
        try:
            found = self.dynamo.call(operation, request)
        except Fault as fault:
            return _json_error(fault.code, **fault.more)
        if self.in_flight and operation == "TransactWriteItems" and self.in_flight in json.dumps(request):
            self.in_flight = None
        return 200, json.dumps(found).encode()

    def _eventbridge(self, _operation: str, request: dict[str, Any], strike: Strike | None) -> tuple[int, bytes]:
        results: list[dict[str, str]] = []
        for position, entry in enumerate(request["Entries"]):
            if strike is Strike.PARTIAL and position >= len(request["Entries"]) // 2:
                results.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})
            else:
                self.bus.append(json.loads(entry["Detail"]))
                results.append({"EventId": str(len(self.bus))})
        failed = sum("ErrorCode" in result for result in results)
        return 200, json.dumps({"Entries": results, "FailedEntryCount": failed}).encode()

    def _sqs(self, _operation: str, request: dict[str, Any], _strike: Strike | None) -> tuple[int, bytes]:
        self.sent.append(request)
        return 200, json.dumps({"MessageId": str(len(self.sent))}).encode()

    def _sns(self, _operation: str, request: dict[str, Any], _strike: Strike | None) -> tuple[int, bytes]:
        self.published.append(request)
        self.in_flight = request["attributes"]["page_id"]
        answer = f"<MessageId>{len(self.published)}</MessageId>"
        return 200, f"<PublishResponse><PublishResult>{answer}</PublishResult></PublishResponse>".encode()

    def _cloudwatch(self, _operation: str, _request: dict[str, Any], _strike: Strike | None) -> tuple[int, bytes]:
        return 200, b'{"Tags": []}'


@dataclass
class Clients:
    """One botocore client a service for the whole run; `cloud` is whoever answers at the moment."""

    cloud: Cloud
    _made: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for service in _SERVICES:
            made = _session.create_client(
                service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x", config=_CONFIG
            )
            made.meta.events.register(f"before-send.{service}", self._send)
            self._made[service] = made

    def __getitem__(self, service: str) -> Any:
        return self._made[service]

    def _send(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        _, service, operation = event_name.split(".")
        status, body = self.cloud.answer(service, operation, _asked(service, request.body))
        kind = "text/xml" if service == "sns" else "application/x-amz-json-1.0"
        headers = {"content-type": kind, "content-length": str(len(body))}
        return AWSResponse(request.url, status, headers, _Body(body))


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def _asked(service: str, body: Any) -> dict[str, Any]:
    text = body.decode() if isinstance(body, bytes) else body
    if service != "sns":
        asked: dict[str, Any] = json.loads(text)
        return asked
    given = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
    attributes = {}
    for name, value in given.items():
        if name.startswith("MessageAttributes.entry.") and name.endswith(".Name"):
            attributes[value] = given[name.removesuffix("Name") + "Value.StringValue"]
    return {**given, "attributes": attributes}


def _refusal(strike: Strike | None, service: str, operation: str) -> tuple[int, bytes] | None:
    answered = strike is Strike.PARTIAL and operation == "PutEvents"
    if answered or strike in (None, Strike.KILL_AFTER, Strike.LOST, Strike.OVERTAKEN):
        return None
    if service == "sns":
        code = "Throttling" if strike is Strike.THROTTLED else "InternalError"
        return 500, f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()
    if strike is Strike.CONFLICT and operation in _CONFLICTS:
        return _json_error(_CONFLICTS[operation], CancellationReasons=[{"Code": "TransactionConflict"}])
    if strike is Strike.THROTTLED:
        return _json_error(_THROTTLED if service == "dynamodb" else "ThrottlingException")
    return 500, json.dumps({"__type": "InternalServerError"}).encode()


def _json_error(code: str, **more: Any) -> tuple[int, bytes]:
    return 400, json.dumps({"__type": f"com.amazonaws#{code}", "message": code, **more}).encode()


def at(numbers: Sequence[int], strike: Strike) -> Hazard:
    """`strike` at just these calls."""
    return lambda number, _operation: strike if number in numbers else None
