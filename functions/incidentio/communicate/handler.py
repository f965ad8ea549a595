"""Lambda entry: the communicate queue (notifying domain events, and the sweep) → page, ticket and test topics."""

import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from incidentio.aws.clients import client
from incidentio.aws.observability import count
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.aws.table import DynamoTable
from incidentio.aws.topics import SnsTopics
from incidentio.communicate.batch import handle
from incidentio.communicate.tell import Teller
from incidentio.core.bundle import load_bundle


class CommunicateSettings(TableSettings):
    page_topic_arn: Text
    ticket_topic_arn: Text
    test_topic_arn: Text
    api_url: Text


@cache
def _teller() -> Teller:
    own, bundle = settings(CommunicateSettings), load_bundle()
    topics = {"page": own.page_topic_arn, "ticket": own.ticket_topic_arn, "test": own.test_topic_arn}
    return Teller(
        table=DynamoTable(client("dynamodb"), own.table_name, bundle.catalog.routing),
        topics=SnsTopics(client("sns"), topics),
        bundle=bundle,
        api_url=own.api_url,
        clock=lambda: datetime.now(UTC),
        pause=time.sleep,
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """One delivery; only what failed is handed back to the queue."""
    report = handle(event["Records"], _teller())
    count(report.counts)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in report.failed]}
