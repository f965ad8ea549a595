"""A target under a running playbook: what it signals now belongs to the incident the playbook works for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.core.ports import Key
from incidentio.core.signal import Subject
from incidentio.core.targets import targets_of


def lock_keys(subject: Subject) -> list[Key]:
    """Where the locks of the targets that `subject` names would be."""
    return [Key(f"LOCK#{target}", "LOCK") for target in targets_of(subject).values()]


def holder_of(subject: Subject, stored: Mapping[Key, Mapping[str, Any]], now: datetime) -> str | None:
    """The incident whose playbook run holds such a target; None when nothing is held."""
    for lock in (stored[key] for key in lock_keys(subject) if key in stored):
        expires_at = lock.get("expires_at")
        if "incident_id" in lock and (expires_at is None or datetime.fromisoformat(expires_at) > now):
            return str(lock["incident_id"])
    return None
