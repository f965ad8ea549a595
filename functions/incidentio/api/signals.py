"""Which incident a signal went to: its own, or that of others which it joined."""

from incidentio.api.calls import Api
from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.integration import PARTITION
from incidentio.core.members import pointer_key
from incidentio.core.ports import CARD_FIELDS
from incidentio.core.targets import partition_of

_INTEGRATIONS = 98
"""Of how many integrations a key is looked for: one batch reads 100 records."""


def incident_of_signal(api: Api, signal: str) -> Incident | None:
    """The incident that the signal belongs to, or did when it fired last, whatever has become of it.

    `signal` is a dedup key, such as the ARN of an alarm, the name of an alarm of the deployment's own account and
    Region, or what an integration calls it: of several integrations that which was heard last is taken.
    None when nothing by that name ever fired, or what it belonged to is forgotten.
    """
    from incidentio.ingest.http.outgoing import scoped  # noqa: PLC0415 - few ask, and what reads signals is large

    alarm = f"arn:{partition_of(api.region)}:cloudwatch:{api.region}:{api.account}:alarm:{signal}"
    own = [pointer_key(signal), pointer_key(alarm)]
    senders = (str(body["name"]) for _, body in api.table.query(PARTITION, limit=_INTEGRATIONS))
    sent = [pointer_key(scoped(sender, signal)) for sender in senders]
    found = api.table.get_many([*own, *sent])
    newest_first = sorted(sent, key=lambda key: str(found.get(key, {}).get("last_seen_at", "")), reverse=True)
    named = (found[key].get("incident_id") for key in [*own, *newest_first] if key in found)
    incident_id = next(filter(None, named), None)
    try:
        return api.table.incident(str(incident_id)) if incident_id else None
    except NotFound:
        return None


def card_of(incident: Incident) -> dict[str, object]:
    """What a list shows of it."""
    shown = {name: getattr(incident, name) for name in CARD_FIELDS}
    return {"id": incident.id, **shown, "detected_at": iso(incident.detected_at)}
