"""GuardDuty findings. Archiving one sends no event: a person ends the incident (or Security Hub, by the finding's ARN).

https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_eventbridge.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, observed, texts
from incidentio.ingest.observation import Ignored, Observation, as_object, pairs, text_field

SOURCE = "guardduty"
_ARNS = frozenset({"arn", "functionArn", "dbInstanceArn", "dbClusterArn", "instanceArn"})
_NAMES = frozenset({"instanceId", "functionName", "name", "dbInstanceIdentifier", "userName"})
_DEEP = 4
URGENT = (Severity.SEV1, Severity.SEV2)


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    service = as_object(detail.get("service"))
    if service.get("archived") is True:
        return Ignored("archived in GuardDuty")
    resource = as_object(detail.get("resource"))
    severity = _severity(detail.get("severity"))
    if severity is Severity.SEV4 and not event.given:
        return Ignored("of low severity")
    instance = as_object(resource.get("instanceDetails")).get("instanceId")
    function = as_object(resource.get("lambdaDetails")).get("functionName")
    dimensions = {"InstanceId": instance, "FunctionName": function, **_credentials(resource)}
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=text_field(detail, "arn", limit=512),
        state=SignalState.FIRING,
        changed_at=event.moment(detail.get("updatedAt")),
        title=str(detail.get("title") or detail.get("type")),
        reason=f"{detail.get('type')}: {detail.get('description') or ''}",
        severity=severity,
        resources=texts(_named(resource, _DEEP)),
        dimensions={k: v for k, v in dimensions.items() if isinstance(v, str)},
        tags=_tags(resource),
        impact_started_at=event.moment(service.get("eventFirstSeen"), detail.get("createdAt")),
        urgent=severity in URGENT,
    )


def _credentials(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Whose credentials were used: a user's access key, or a role's session.

    https://docs.aws.amazon.com/guardduty/latest/APIReference/API_AccessKeyDetails.html
    """
    key = as_object(resource.get("accessKeyDetails"))
    match key.get("userType"):
        case "IAMUser":
            return {"UserName": key.get("userName"), "AccessKeyId": _ending(key.get("accessKeyId"))}
        case "AssumedRole" | "Role":
            return {"RoleName": key.get("userName")}
    return {}


def _severity(number: Any) -> Severity:
    """9 and more is critical, 7 high, 4 medium, below that low.

    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
    """
    value = number if isinstance(number, int | float) else 0
    for least, severity in ((9, Severity.SEV1), (7, Severity.SEV2), (4, Severity.SEV3)):
        if value >= least:
            return severity
    return Severity.SEV4


def _named(value: Any, depth: int) -> Iterator[Any]:
    """ARNs and names of what was attacked, wherever its kind of resource keeps them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in _ARNS or name in _NAMES:
                yield inner
            elif depth:
                yield from _named(inner, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _named(inner, depth - 1)


def _tags(resource: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for details in resource.values():
        for each in details if isinstance(details, list) else [details]:
            found |= pairs(as_object(each).get("tags"))
    return found


def _ending(key: Any) -> str | None:
    """A key is redacted wherever we keep something; its last characters tell a user's two keys apart."""
    return key[-6:] if isinstance(key, str) else None
