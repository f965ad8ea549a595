"""Lambda entry: the signal queue → incidents."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from incidentio.aws.clients import LaterClient, client
from incidentio.aws.observability import count
from incidentio.aws.queue import SqsQueue
from incidentio.aws.settings import IngestSettings, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import load_bundle
from incidentio.ingest.batch import Batch
from incidentio.ingest.intake import Intake


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _batch() -> Batch:
    given = settings(IngestSettings)
    catalog = load_bundle().catalog
    return Batch(
        intake=Intake(DynamoTable(client("dynamodb"), given.table_name, catalog.routing), catalog, _now),
        dead_letters=SqsQueue(LaterClient("sqs"), given.ingest_dlq_url),
        attachment=Attachment(own_prefix=given.stack_prefix, catalog=catalog),
        clock=_now,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One delivery; only what may succeed later is handed back to the queue."""
    report = _batch().handle(event["Records"])
    count(report.counts)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in report.failed]}
