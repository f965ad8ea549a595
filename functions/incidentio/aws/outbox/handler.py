"""Lambda entry: DynamoDB stream (timeline inserts only) → domain bus."""

from typing import Any

from incidentio.aws.clients import client
from incidentio.aws.outbox.publish import publish
from incidentio.aws.settings import Settings, Text, settings


class PublisherSettings(Settings):
    event_bus_name: Text


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Publish a batch; on failure report where to resume, so nothing is skipped."""
    failed = publish(client("events"), settings(PublisherSettings).event_bus_name, event["Records"])
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}
