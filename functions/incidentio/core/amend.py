"""Read, decide, commit, and again when somebody else was faster: the loop every use case runs in."""

import random
import time
from collections.abc import Callable, Sequence

from incidentio.core.errors import Unavailable, VersionConflict
from incidentio.core.incident import Change, Incident
from incidentio.core.ports import Incidents, Stale, Write

Decision = Change | tuple[Change, Sequence[Write]] | None
_REMEMBERED_KEYS = 10


def amend(
    incidents: Incidents,
    incident_id: str,
    decide: Callable[[Incident], Decision],
    *,
    expected_version: int | None = None,
    idempotency_key: str | None = None,
    attempts: int = 12,
    pause: Callable[[float], None] = time.sleep,
) -> Incident:
    """Apply the pure `decide` to the current incident and commit what it returns, atomically.

    `decide` returning None changes nothing. It runs again on the newer incident when another
    writer got in between, so an illegal transition is always judged on what is really stored.

    Raises:
        NotFound: no such incident.
        VersionConflict: `expected_version` is not the current one.
        Unavailable: still contended after `attempts` jittered tries.
        Refused: a condition of the extra writes did not hold.
    """
    incident = incidents.incident(incident_id)
    for attempt in range(attempts):
        if idempotency_key and idempotency_key in incident.idempotency:
            return incident
        require_version(incident, expected_version)
        decision = decide(incident)
        if decision is None:
            return incident
        change, writes = decision if isinstance(decision, tuple) else (decision, ())
        if idempotency_key:
            change = _remembering(change, idempotency_key)
        try:
            incidents.commit(change, *writes)
        except Stale as stale:
            pause(random.uniform(0, min(0.02 * 2**attempt, 0.5)))  # noqa: S311 - jitter, not a secret
            incident = stale.current or incidents.incident(incident_id)
            continue
        return change.incident
    raise Unavailable(f"{incident_id} is being changed by many at once: try again")


def require_version(incident: Incident, expected: int | None) -> None:
    """Raise VersionConflict unless `expected` is the incident's version, or None."""
    if expected is not None and expected != incident.version:
        raise VersionConflict(
            f"{incident.id} is at version {incident.version}, not {expected}: read it again",
            expected=expected,
            version=incident.version,
            status=incident.status.value,
        )


def _remembering(change: Change, key: str) -> Change:
    """`key` and the last ones before it; each goes with the `timeline_seq` it led to, as a stored map has no order."""
    recent = sorted(change.incident.idempotency.items(), key=lambda item: item[1])[-(_REMEMBERED_KEYS - 1) :]
    remembered = dict([*recent, (key, change.incident.timeline_seq)])
    return Change(
        incident=change.incident.model_copy(update={"idempotency": remembered}),
        entries=change.entries,
        expected_seq=change.expected_seq,
    )
