"""From stream records to PutEvents, in order, telling the stream how far it got."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentio.aws.attributes import from_item
from incidentio.aws.errors import translated
from incidentio.aws.stored import entry_from
from incidentio.core.errors import Unavailable
from incidentio.core.events import SOURCE, event_of

_PUT_EVENTS_LIMIT = 10


def publish(client: Any, bus: str, records: Sequence[Mapping[str, Any]]) -> str | None:
    """Put every record's event on the bus.

    Returns:
        The sequence number of the first record that was not published, from which the stream must
        start again (an event may so be published twice; its `id` stays the same). None when all were.
    """
    for start in range(0, len(records), _PUT_EVENTS_LIMIT):
        batch = records[start : start + _PUT_EVENTS_LIMIT]
        try:
            with translated("publishing events"):
                answer = client.put_events(Entries=[_bus_entry(record, bus) for record in batch])
        except Unavailable:
            return _sequence_number(batch[0])
        for record, result in zip(batch, answer["Entries"], strict=True):
            if "ErrorCode" in result:
                return _sequence_number(record)
    return None


def _bus_entry(record: Mapping[str, Any], bus: str) -> dict[str, Any]:
    event = event_of(entry_from(from_item(record["dynamodb"]["NewImage"])))
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": event.type,
        "Detail": event.model_dump_json(),
        "Time": event.occurred_at,
    }


def _sequence_number(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
