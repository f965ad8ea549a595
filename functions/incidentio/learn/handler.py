"""Lambda entry: an incident or its loan ended → its record for reports, and the draft of the postmortem; every hour →
anchor of the audit chains."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from incidentio.aws.archive import S3Archive
from incidentio.aws.clients import client
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.archive import Archive, Retention, RetentionMode
from incidentio.core.catalog import load_catalog
from incidentio.core.events import DomainEvent
from incidentio.core.ports import Table
from incidentio.learn.anchor import anchor
from incidentio.learn.draft import draft
from incidentio.learn.remember import remember


class LearnSettings(TableSettings):
    archive_bucket: Text
    retention_mode: RetentionMode = "GOVERNANCE"
    retention_days: int = 365


@cache
def _adapters() -> tuple[Table, Archive]:
    env = settings(LearnSettings)
    table = DynamoTable(client("dynamodb"), env.table_name, load_catalog().routing)
    return table, S3Archive(client("s3"), env.archive_bucket)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What fails is retried by Lambda and then sent to the failure destination."""
    table, archive = _adapters()
    if event.get("anchor"):
        env, now = settings(LearnSettings), datetime.now(UTC)
        retention = Retention(env.retention_mode, now + timedelta(days=env.retention_days))
        return {"anchor": anchor(table=table, archive=archive, retention=retention, at=now)}
    told = DomainEvent.model_validate(event["detail"])
    remember(told.incident_id, table=table)
    incident = draft(
        told.incident_id,
        table=table,
        archive=archive,
        catalog=load_catalog(),
        clock=lambda: datetime.now(UTC),
    )
    return {"incident_id": told.incident_id, "postmortem_key": incident.postmortem_key if incident else None}
