"""Deploys that pipelines and people tell us of: change records, which triage reads."""

from incidentio.api.calls import Api, Call
from incidentio.api.opening import impact_start
from incidentio.api.requests import NewDeploy
from incidentio.core.catalog import Service
from incidentio.core.changes import ChangeRecord, change_writes
from incidentio.core.ids import random_base32
from incidentio.core.redaction import redact


def record_deploy(api: Api, call: Call, told: NewDeploy) -> ChangeRecord:
    """Write it down. Without an `id` the `Idempotency-Key` is one, so that a repeat is the same deploy.

    Raises:
        InvalidInput: it happens in the future.
    """
    service = api.bundle.catalog.services.get(told.service, Service())
    version = redact(told.version, limit=200)
    change = ChangeRecord(
        id=told.id or (call.key or random_base32(20)).partition(".")[0],
        source="deploys",
        service=told.service,
        environment=told.environment or service.environment,
        at=impact_start(told.at, call.at, field="at") or call.at,
        what=f"deploy of {told.service} {version}" + ("" if told.status == "succeeded" else f" {told.status}"),
        status=told.status,
        actor=call.actor.id,
        version=version,
        reversible=told.reversible,
        reason=redact(told.reason, limit=300),
        url=redact(told.url or "", limit=300),
    )
    api.table.write(*change_writes(change, api.bundle.catalog.services))
    return change
