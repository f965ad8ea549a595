"""Counts what a piece of code asks of AWS: calls and DynamoDB capacity, seen by botocore's own hooks."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incidentio.aws import clients
from incidentio.ingest import handler as ingest

_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
_CAPACITY = (*_WRITES, "GetItem", "Query", "BatchGetItem")


@dataclass
class Count:
    """What happened since it was made; `operations` in order, `sent_bytes` of their bodies."""

    operations: list[str] = field(default_factory=list)
    write_units: float = 0.0
    read_units: float = 0.0
    sent_bytes: int = 0

    @property
    def calls(self) -> int:
        return len(self.operations)


@contextmanager
def environment(description: dict[str, Any]) -> Iterator[None]:
    """This process as one of the app's functions, against the local target."""
    outputs = description["outputs"]
    values = {
        "AWS_ENDPOINT_URL": description["endpoint_url"],
        "AWS_ACCESS_KEY_ID": description["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": description["secret_access_key"],
        "AWS_REGION": description["region"],
        "AWS_DEFAULT_REGION": description["region"],
        "TABLE_NAME": outputs["TableName"],
        "STACK_PREFIX": "incidentio",
        "INGEST_DLQ_URL": outputs["IngestDlqUrl"],
        "SIGNAL_TOPIC_ARN": outputs["SignalTopicArn"],
        "LOG_LEVEL": "CRITICAL",
        "POWERTOOLS_METRICS_NAMESPACE": "bench",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_DISABLED": "true",
    }
    before = dict(os.environ)
    os.environ.update(values)
    _forget()
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # what goes to CloudWatch Logs on AWS
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _forget()


def _forget() -> None:
    """What a function keeps between invocations belongs to one environment."""
    for kept in (clients.client, clients._session, ingest._batch):
        kept.cache_clear()


@contextmanager
def counted(client: Any) -> Iterator[Count]:
    """Everything `client` is asked inside the block."""
    count = Count()

    def before(params: dict[str, Any], model: Any, **_: Any) -> None:
        count.operations.append(model.name)
        if model.name in _CAPACITY:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def sending(request: Any, **_: Any) -> None:
        count.sent_bytes += len(request.body or b"")

    def after(parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        for each in consumed if isinstance(consumed, list) else [consumed]:
            if count.operations[-1] in _WRITES:
                count.write_units += each["CapacityUnits"]
            else:
                count.read_units += max(each["CapacityUnits"], _read_units(parsed.get("Items", [])))

    events = client.meta.events
    events.register("provide-client-params", before)
    events.register("before-send", sending)
    events.register("after-call", after)
    try:
        yield count
    finally:
        events.unregister("provide-client-params", before)
        events.unregister("before-send", sending)
        events.unregister("after-call", after)


def _read_units(items: Sequence[Mapping[str, Any]]) -> float:
    """What a query that found `items` costs on AWS: half a unit for each 4 KB. The emulator leaves the size out."""
    size = sum(len(name.encode()) + _size(value) for item in items for name, value in item.items())
    return -(-size // 4096) / 2


def _size(value: Mapping[str, Any]) -> int:
    """Bytes of one attribute value, as DynamoDB counts them, numbers with a byte more."""
    ((kind, held),) = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in held.items())
    if kind == "L":
        return 3 + sum(1 + _size(each) for each in held)
    return len(str(held).encode()) if kind in ("S", "N") else 1
