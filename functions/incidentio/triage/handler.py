"""Lambda entry: domain bus (IncidentTriggered, IncidentPromoted, SignalJoined) → triage."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from incidentio.aws.alarm_tags import CloudWatchTags
from incidentio.aws.clients import client
from incidentio.aws.observability import log
from incidentio.aws.settings import TableSettings, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.bundle import load_bundle
from incidentio.core.events import DomainEvent
from incidentio.core.ports import Table
from incidentio.triage.enrich import enrich


@cache
def _table() -> Table:
    return DynamoTable(client("dynamodb"), settings(TableSettings).table_name, load_bundle().catalog.routing)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Triage the incident the event is about; what fails is retried and then sent to the failure destination."""
    told = DomainEvent.model_validate(event["detail"])
    incident = enrich(
        told.incident_id,
        table=_table(),
        alarm_tags=CloudWatchTags(client("cloudwatch")),
        bundle=load_bundle(),
        clock=lambda: datetime.now(UTC),
    )
    log(
        "triaged",
        incident_id=incident.id,
        correlation_id=incident.correlation_id,
        severity=incident.severity.value,
        incident_service=incident.service,
    )
    return {"incident_id": incident.id, "severity": incident.severity.value, "service": incident.service}
