"""Lambda entry: the minute rule → recovery, reconciliation, heartbeat."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from incidentio.aws.alarms import CloudWatchAlarms
from incidentio.aws.clients import client
from incidentio.aws.observability import count
from incidentio.aws.queue import SqsQueue
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import load_catalog
from incidentio.detect.reconcile import Reconciliation
from incidentio.detect.sweep import sweep


class SweeperSettings(TableSettings):
    ingest_queue_url: Text
    signal_topic_arn: Text
    signal_function_arn: Text
    reconcile_seconds: int = 300


@cache
def _settings() -> SweeperSettings:
    return settings(SweeperSettings)


def handler(_event: dict[str, Any], _context: object) -> dict[str, int]:
    """One sweep; what it did, as counts."""
    given, catalog = _settings(), load_catalog()
    table = DynamoTable(client("dynamodb"), given.table_name, catalog.routing)
    queue = SqsQueue(client("sqs"), given.ingest_queue_url)
    reconciliation = Reconciliation(
        table,
        CloudWatchAlarms(client("cloudwatch")),
        queue,
        Attachment(own_prefix=given.stack_prefix, catalog=catalog),
        topic_arn=given.signal_topic_arn,
        function_arn=given.signal_function_arn,
    )
    every = timedelta(seconds=given.reconcile_seconds)
    done = sweep(table, catalog.routing, reconciliation, queue, every=every, clock=lambda: datetime.now(UTC))
    count(done)
    return done
