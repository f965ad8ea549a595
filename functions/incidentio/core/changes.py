"""What changed in the estate: deploys, configuration, network. No incidents, but the first suspects of one.

Kept per service, newest first, for `KEPT`: key `CHANGES#<service>` / `<time>#<id>`. What belongs to no known service
is under the empty name, with its resources.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from incidentio.core.catalog import Service
from incidentio.core.ids import iso
from incidentio.core.ports import Key, Put, Record, Records

KEPT = timedelta(days=90)
DEPLOYS = frozenset({"cloudformation", "codedeploy", "codepipeline", "deploys", "ecs"})
"""Sources whose changes are deploys; others tell of configuration."""
REHEARSE_AFTER = "REHEARSE#AFTER"
"""Partition: what was deployed and waits to be rehearsed."""
_REHEARSED_WITHIN = timedelta(days=7)

Text = Annotated[str, StringConstraints(max_length=300)]


class ChangeRecord(BaseModel):
    """One change, redacted.

    `id` is the source's own and is that of the whole change: what is told of its start and of its end are two records
    of one id, and a repeated event is the same record again.

    `reversible` is False where rolling back would break data, and `reason` says why; `status` is `started`, `succeeded`
    or `failed`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: Text
    source: Text
    service: str | None = None
    environment: str = "production"
    at: datetime
    what: Text
    status: str = "succeeded"
    actor: Text = ""
    version: Text = ""
    reversible: bool = True
    reason: Text = ""
    resources: tuple[Text, ...] = ()
    url: Text = ""


def change_write(change: ChangeRecord) -> Put:
    """The write that keeps `change`; the same change again writes the same record."""
    key = Key(_partition(change.service), f"{iso(change.at)}#{change.id}")
    return Put(Record(key, change.model_dump(mode="json"), change.at + KEPT))


class DeployedService(BaseModel):
    """A service that was deployed and whose automation is to be rehearsed: `change` is the deploy's id."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    service: str
    change: str

    @property
    def key(self) -> str:
        return f"{self.service}#{self.change}"


def change_writes(change: ChangeRecord, services: Mapping[str, Service]) -> list[Put]:
    """The writes that keep `change`, and what follows from it; the same change again writes the same records.

    A deploy that succeeded, of a service whose team lets playbooks start by themselves, is also put down for them to be
    rehearsed on what it has become.
    """
    kept = change_write(change)
    service = services.get(change.service or "")
    deploys = change.source in DEPLOYS and change.status == "succeeded"
    if service is None or not deploys or not service.automation.auto:
        return [kept]
    deployed = DeployedService(service=str(change.service), change=change.id)
    wanted = Record(Key(REHEARSE_AFTER, deployed.key), deployed.model_dump(), change.at + _REHEARSED_WITHIN)
    return [kept, Put(wanted)]


def changes_of(records: Records, service: str | None, *, since: datetime, limit: int = 50) -> list[ChangeRecord]:
    """Changes of `service` not older than `since`, newest first, each as it was told last."""
    found: dict[str, ChangeRecord] = {}
    for key, body in records.query(_partition(service), newest_first=True, limit=limit):
        if key.sk < iso(since.astimezone(UTC)):
            break
        change = change_from(body)
        found.setdefault(change.id, change)
    return list(found.values())


def not_reversible(records: Records, service: str | None, environment: str, *, since: datetime) -> ChangeRecord | None:
    """What forbids to undo the newest change of `service` there that is not older than `since`, or None.

    Looked at is the newest change of each source: AWS tells of the same deploy a moment later, and never that it
    cannot be undone. One record that says so, of its start or of its end, is enough. What failed is not what runs now,
    so it hides nothing.
    """
    if service is None:
        return None
    latest: dict[str, str] = {}
    failed: set[str] = set()
    for key, body in records.query(_partition(service), newest_first=True):
        if key.sk < iso(since.astimezone(UTC)):
            return None
        change = change_from(body)
        if change.environment != environment:
            continue
        if change.status == "failed":
            failed.add(change.id)
        if change.reversible and change.id in failed:
            continue
        if latest.setdefault(change.source, change.id) == change.id and not change.reversible:
            return change
    return None


def change_from(body: Mapping[str, Any]) -> ChangeRecord:
    return ChangeRecord.model_validate(body)


def newest(changes: Iterable[ChangeRecord]) -> list[ChangeRecord]:
    return sorted(changes, key=lambda change: change.at, reverse=True)


def _partition(service: str | None) -> str:
    return f"CHANGES#{service or ''}"
