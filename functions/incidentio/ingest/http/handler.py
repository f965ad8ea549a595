"""Lambda entry: signals over HTTP → the ingest queue."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from incidentio.aws.clients import LaterClient, client
from incidentio.aws.integrations import IntegrationRows
from incidentio.aws.observability import count
from incidentio.aws.queue import SqsQueue
from incidentio.aws.secrets import SecretsManager, prefix_of
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.ingest.http.door import Door


class WebhookSettings(TableSettings):
    ingest_queue_url: Text


@cache
def _door() -> Door:
    given = settings(WebhookSettings)
    return Door(
        integrations=IntegrationRows(client("dynamodb"), given.table_name),
        secrets=SecretsManager(LaterClient("secretsmanager"), prefix_of(given.stack_prefix)),
        queue=SqsQueue(client("sqs"), given.ingest_queue_url),
        clock=partial(datetime.now, UTC),
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one request."""
    door = _door()
    try:
        return door.answer(event)
    finally:
        count(door.counts)
        door.counts.clear()
