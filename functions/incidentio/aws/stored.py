"""How incidents and entries look in the table: the mapping between models and items, and nothing else."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.incident import Incident, Status
from incidentio.core.timeline import Entry

SHARDS = 4
GROUPS = ("OPEN", *(s.value for s in Status if not s.is_open))
"""Listing partitions: all open statuses together, every other status by itself."""

CARD_FIELDS = ("status", "severity", "service", "environment", "kind", "mode", "title", "version")
"""What the listing index projects, and so what a list shows of an incident."""

_KEYS = frozenset({"pk", "sk", "gpk", "gsk", "ttl", "due_at"})


def incident_pk(incident_id: str) -> str:
    return f"INC#{incident_id}"


def entry_sk(seq: int) -> str:
    return f"TL#{seq:08d}"


def group_of(status: Status) -> str:
    return "OPEN" if status.is_open else status.value


def shard_of(incident_id: str) -> int:
    return sha256(incident_id.encode()).digest()[0] % SHARDS


def incident_item(incident: Incident, due_at: datetime | None) -> dict[str, Any]:
    """The summary item: fields at their default are left out, to stay small."""
    item = {
        **incident.model_dump(mode="json", exclude_defaults=True),
        **{name: getattr(incident, name) for name in ("status", "environment", "kind", "mode", "version")},
        "pk": incident_pk(incident.id),
        "sk": "SUMMARY",
        "gpk": f"{group_of(incident.status)}#{shard_of(incident.id)}",
        "gsk": iso(incident.detected_at),
    }
    if due_at is not None:
        item["due_at"] = iso(due_at)
    return item


def incident_from(item: Mapping[str, Any]) -> Incident:
    return Incident.model_validate({k: v for k, v in item.items() if k not in _KEYS})


def entry_item(entry: Entry) -> dict[str, Any]:
    return {
        **entry.model_dump(mode="json", exclude={"incident_id", "seq"}),
        "pk": incident_pk(entry.incident_id),
        "sk": entry_sk(entry.seq),
    }


def entry_from(item: Mapping[str, Any]) -> Entry:
    body = {k: v for k, v in item.items() if k not in ("pk", "sk")}
    return Entry.model_validate(
        {**body, "incident_id": item["pk"].removeprefix("INC#"), "seq": int(item["sk"].removeprefix("TL#"))}
    )


def card(item: Mapping[str, Any]) -> dict[str, Any]:
    """One listed incident."""
    return {
        "id": item["pk"].removeprefix("INC#"),
        **{name: item.get(name) for name in CARD_FIELDS},
        "detected_at": item["gsk"],
    }
