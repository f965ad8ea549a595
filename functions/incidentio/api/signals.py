"""Which incident a signal went to: its own, or that of others which it joined."""

from incidentio.api.calls import Api
from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.members import pointer_key
from incidentio.core.ports import CARD_FIELDS
from incidentio.core.targets import partition_of


def incident_of_signal(api: Api, signal: str) -> Incident | None:
    """The incident that the signal belongs to, or did when it fired last, whatever has become of it.

    `signal` is a dedup key, such as the ARN of an alarm, or the name of an alarm of the deployment's own account and
    Region. None when nothing by that name ever fired, or what it belonged to is forgotten.
    """
    alarm = f"arn:{partition_of(api.region)}:cloudwatch:{api.region}:{api.account}:alarm:{signal}"
    keys = [pointer_key(signal), pointer_key(alarm)]
    found = api.table.get_many(keys)
    named = (found[key].get("incident_id") for key in keys if key in found)
    incident_id = next(filter(None, named), None)
    try:
        return api.table.incident(str(incident_id)) if incident_id else None
    except NotFound:
        return None


def card_of(incident: Incident) -> dict[str, object]:
    """What a list shows of it."""
    shown = {name: getattr(incident, name) for name in CARD_FIELDS}
    return {"id": incident.id, **shown, "detected_at": iso(incident.detected_at)}
