"""A target under a running playbook: what it signals now belongs to the incident the playbook works for."""

from datetime import datetime

from incidentio.core.ports import Key, Records
from incidentio.core.signal import Subject
from incidentio.core.targets import targets_of


def locking_incident(records: Records, subject: Subject, now: datetime) -> str | None:
    """The incident whose playbook run holds a target that `subject` names; None when nothing is held."""
    keys = [Key(f"LOCK#{target}", "LOCK") for target in targets_of(subject).values()]
    if not keys:
        return None
    for lock in records.get_many(keys).values():
        expires_at = lock.get("expires_at")
        if "incident_id" in lock and (expires_at is None or datetime.fromisoformat(expires_at) > now):
            return str(lock["incident_id"])
    return None
