"""How incidents and entries look in the table: the mapping between models and items, and nothing else."""

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from incidentio.core.heartbeat import is_listed
from incidentio.core.ids import iso
from incidentio.core.incident import Incident, Status
from incidentio.core.ports import CARD_FIELDS
from incidentio.core.timeline import Entry

SHARDS = 2
GROUPS = ("OPEN", *(s.value for s in Status if not s.is_open))
"""Listing partitions: all open statuses together, every other status by itself."""

_ALARM_ARN = re.compile(
    r"arn:[^:]*:cloudwatch:(?P<region>[^:]*):(?P<account>[^:]*):alarm:(?P<alarm_name>.+)", re.DOTALL
)
_SAME = "as_key"
"""In a stored subject: account, Region, name and ARN of the alarm are those in the dedup key. A summary of at most
1 KB costs one write unit less per transition, two with the transaction."""

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
    }
    if is_listed(incident):
        item["gpk"] = f"{group_of(incident.status)}#{shard_of(incident.id)}"
        item["gsk"] = iso(incident.detected_at)
    if due_at is not None:
        item["due_at"] = iso(due_at)
    told = _told_by(incident.dedup_key)
    if told and told.items() <= incident.subject.model_dump().items():
        item["subject"] = {_SAME: True, **{k: v for k, v in item["subject"].items() if k not in told}}
    return item


def incident_from(item: Mapping[str, Any]) -> Incident:
    fields = {k: v for k, v in item.items() if k not in _KEYS}
    subject = fields.get("subject", {})
    if _SAME in subject:
        rest = {k: v for k, v in subject.items() if k != _SAME}
        fields["subject"] = {**_told_by(fields["dedup_key"]), **rest}
    return Incident.model_validate(fields)


def _told_by(dedup_key: str | None) -> dict[str, str]:
    """What the dedup key of an alarm, its ARN, says of the subject; nothing for any other key."""
    found = _ALARM_ARN.fullmatch(dedup_key or "")
    return {"alarm_arn": found[0], **found.groupdict()} if found else {}


def entry_item(entry: Entry) -> dict[str, Any]:
    return {
        **entry.model_dump(mode="json", exclude={"incident_id", "seq"}),
        "pk": incident_pk(entry.incident_id),
        "sk": entry_sk(entry.seq),
    }


def entry_from(item: Mapping[str, Any]) -> Entry:
    body = {k: v for k, v in item.items() if k not in ("pk", "sk", "ttl")}
    return Entry.model_validate(
        {**body, "incident_id": item["pk"].removeprefix("INC#"), "seq": int(item["sk"].removeprefix("TL#"))}
    )


def card(item: Mapping[str, Any]) -> dict[str, Any]:
    """One listed incident: what the listing index projects."""
    return {
        "id": item["pk"].removeprefix("INC#"),
        **{name: item.get(name) for name in CARD_FIELDS},
        "detected_at": item["gsk"],
    }
