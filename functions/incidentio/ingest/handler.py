"""Lambda entry: the signal queue, and alarms that invoke us → incidents."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from incidentio.aws.clients import LaterClient, client
from incidentio.aws.observability import count
from incidentio.aws.queue import SqsQueue
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import load_catalog
from incidentio.core.errors import Unavailable
from incidentio.ingest.batch import Batch
from incidentio.ingest.intake import Intake


class IngestSettings(TableSettings):
    ingest_dlq_url: Text
    signal_topic_arn: Text


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _batch() -> Batch:
    given = settings(IngestSettings)
    catalog = load_catalog()
    return Batch(
        intake=Intake(DynamoTable(client("dynamodb"), given.table_name, catalog.routing), catalog, _now),
        dead_letters=SqsQueue(LaterClient("sqs"), given.ingest_dlq_url),
        attachment=Attachment(own_prefix=given.stack_prefix, catalog=catalog),
        clock=_now,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One delivery of the queue, or the invocation of an alarm whose action is this function.

    Of a delivery only what may succeed later is handed back to the queue.

    Raises:
        Unavailable: an invocation failed: Lambda tries it again, and then keeps it in the dead letters.
    """
    records = event.get("Records") or [{"messageId": context.aws_request_id, "body": json.dumps(event)}]
    report = _batch().handle(records)
    count(report.counts)
    if report.failed and "Records" not in event:
        raise Unavailable("this invocation could not be handled yet")
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in report.failed]}
