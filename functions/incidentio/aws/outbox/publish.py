"""From stream records to PutEvents, in order, telling the stream how far it got."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from incidentio.aws.attributes import from_item
from incidentio.aws.errors import translated
from incidentio.aws.stored import entry_from
from incidentio.core.errors import Unavailable
from incidentio.core.events import SOURCE, event_of

_MOST_ENTRIES = 10
_MOST_BYTES = 250_000
"""Of one PutEvents, which takes less than 256 KB, counted without the names of the fields."""
_LONG_VALUE = 10_000


def publish(client: Any, bus: str, records: Sequence[Mapping[str, Any]]) -> str | None:
    """Put every record's event on the bus.

    Returns:
        The sequence number of the first record that was not published, from which the stream must
        start again (an event may so be published twice; its `id` stays the same). None when all were.
    """
    for batch in _batches(records, bus):
        try:
            with translated("publishing events"):
                answer = client.put_events(Entries=[entry for _, entry in batch])
        except Unavailable:
            return batch[0][0]
        for (number, _), result in zip(batch, answer["Entries"], strict=True):
            if "ErrorCode" in result:
                return number
    return None


def _batches(records: Sequence[Mapping[str, Any]], bus: str) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """As many as one PutEvents takes, each with its sequence number."""
    batch: list[tuple[str, dict[str, Any]]] = []
    size = 0
    for record in records:
        entry = _bus_entry(record, bus)
        more = _size(entry)
        if batch and (len(batch) == _MOST_ENTRIES or size + more > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((str(record["dynamodb"]["SequenceNumber"]), entry))
        size += more
    if batch:
        yield batch


def _bus_entry(record: Mapping[str, Any], bus: str) -> dict[str, Any]:
    """The record's event; without its long values where the bus would not take it: the timeline has them."""
    event = event_of(entry_from(from_item(record["dynamodb"]["NewImage"])))
    entry = {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": event.type,
        "Detail": event.model_dump_json(),
        "Time": event.occurred_at,
    }
    if _size(entry) > _MOST_BYTES:
        long = [name for name, value in event.data.items() if len(json.dumps(value, default=str)) > _LONG_VALUE]
        kept = {name: value for name, value in event.data.items() if name not in long}
        short = event.model_copy(update={"data": {**kept, "left_out": long}})
        entry["Detail"] = short.model_dump_json()
    return entry


def _size(entry: Mapping[str, Any]) -> int:
    """In bytes, a few more than PutEvents counts."""
    return 100 + len(entry["Detail"].encode())
