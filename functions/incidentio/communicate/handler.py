"""Lambda entry: the communicate queue (notifying domain events, and the sweep) → page, ticket and test topics."""

import json
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from incidentio.aws.clients import client
from incidentio.aws.settings import CommunicateSettings, settings
from incidentio.aws.table import DynamoTable
from incidentio.aws.topics import SnsTopics
from incidentio.communicate.sweep import sweep
from incidentio.communicate.tell import Teller
from incidentio.core.catalog import load_bundle
from incidentio.core.errors import Unavailable
from incidentio.core.events import DomainEvent

_logger = Logger()


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
    """Handle a batch; a message that fails is delivered again by itself, and ends in the dead-letter queue."""
    failed = []
    for record in event["Records"]:
        try:
            _handled(json.loads(record["body"]), _teller())
        except Exception:
            _logger.exception("not told", message_id=record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _handled(body: dict[str, Any], teller: Teller) -> None:
    if "sweep" in body:
        swept = sweep(teller)
        if swept.done or swept.failed:
            _logger.info("swept", done=swept.done, failed=swept.failed)
        if swept.failed:
            raise Unavailable(f"the sweep failed for {', '.join(swept.failed)}")
        return
    told = DomainEvent.model_validate(body["detail"])
    done = teller.told(told)
    _logger.info(done, incident_id=told.incident_id, event=told.type, correlation_id=told.correlation_id)
