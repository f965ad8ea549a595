"""One way to change an incident from a request: versions, repeats and lost races are handled here."""

from collections.abc import Callable

from incidentio.api.calls import Api, Call
from incidentio.core.amend import Decision, amend, require_version
from incidentio.core.ids import parse_incident_id
from incidentio.core.incident import Incident


def replayed(call: Call, incident: Incident) -> bool:
    """Whether this very request was done before; for writes that do something before they commit.

    Raises:
        Conflict: the key belongs to another request.
        VersionConflict: it was not done, and `If-Match` is stale.
    """
    if call.key and call.key in incident.idempotency:
        return True
    call.refuse_reuse(incident)
    require_version(incident, call.expected_version)
    return False


def change(api: Api, call: Call, incident_id: str, decide: Callable[[Incident], Decision]) -> Incident:
    """Amend the incident; a repeat of the same `Idempotency-Key` returns what is there now.

    Raises:
        InvalidInput, NotFound, VersionConflict, Unavailable: see `amend`.
        Conflict: the key belongs to another request; and what `decide` raises.
    """

    def guarded(incident: Incident) -> Decision:
        call.refuse_reuse(incident)
        return decide(incident)

    return amend(
        api.table,
        parse_incident_id(incident_id),
        guarded,
        expected_version=call.expected_version,
        idempotency_key=call.key,
    )
