"""Where mitigation keeps what it remembers, and the ids people and machines know it by."""

import re

from incidentio.core.errors import NotFound
from incidentio.core.ids import base32_of, random_base32
from incidentio.core.ports import Key

_RUN_ID = re.compile(r"RUN-([0-9A-Z]{6})-[0-9A-Z]{8}")
_APPROVAL_ID = re.compile(r"APR-([0-9A-Z]{6})-[0-9A-Z]{21}")

OPEN_RUNS = "OPEN#RUNS"
LEASES = "LEASES"
SWITCHES = "SWITCHES"


def run_key(incident_id: str, run_id: str) -> Key:
    return Key(f"INC#{incident_id}", f"RUN#{run_id}")


def approval_key(incident_id: str, approval_id: str) -> Key:
    return Key(f"INC#{incident_id}", f"APPROVAL#{approval_id}")


def snapshot_key(run_id: str, step: int) -> Key:
    return Key(f"RUNSNAP#{run_id}", f"{step:03d}")


def lock_key(target: str) -> Key:
    return Key(f"LOCK#{target}", "LOCK")


def open_run_key(run_id: str) -> Key:
    return Key(OPEN_RUNS, run_id)


def lease_key(run_id: str) -> Key:
    return Key(LEASES, run_id)


def switch_key(scope: str) -> Key:
    return Key(f"SWITCH#{scope}", "SWITCH")


def rate_partition(playbook: str, target: str) -> str:
    return f"RATE#{playbook}#{target}"


def new_run_id(incident_id: str, *, seed: str | None = None) -> str:
    """`RUN-<6 of the incident>-<8 base32>`. With a `seed`, the same one each time: asking twice is asking once."""
    if seed is None:
        return f"RUN-{incident_id[4:]}-{random_base32(8)}"
    return f"RUN-{incident_id[4:]}-{base32_of(f'{incident_id} {seed}', 8)}"


def new_approval_id(incident_id: str) -> str:
    """105 random bits: the id itself is the secret that lets one vote be cast.

    With twenty characters, one in a million would look like an AWS key (ACCA…) and be redacted wherever it is told.
    """
    return f"APR-{incident_id[4:]}-{random_base32(21)}"


def incident_of_run(run_id: str) -> str:
    """Raises NotFound when it is not a run's id."""
    return _incident_of(_RUN_ID, run_id, "run")


def incident_of_approval(approval_id: str) -> str:
    """Raises NotFound when it is not an approval's id."""
    return _incident_of(_APPROVAL_ID, approval_id, "approval")


def _incident_of(pattern: re.Pattern[str], id: str, what: str) -> str:
    found = pattern.fullmatch(id)
    if not found:
        raise NotFound(f"there is no {what} {id[:40]}")
    return f"INC-{found[1]}"
