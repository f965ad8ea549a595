"""Security Hub findings in the Open Cybersecurity Schema Framework.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-v2-cwe-event-formats.html
https://schema.ocsf.io/1.6.0/classes/detection_finding
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, milliseconds, observed, texts
from incidentio.ingest.contracts.security_hub import SOURCE, URGENT, key_of, the_finding
from incidentio.ingest.observation import Ignored, Observation, as_object, object_field, pairs, text_field

_SEVERITIES = {
    6: Severity.SEV1, 5: Severity.SEV1, 4: Severity.SEV2, 3: Severity.SEV3, 2: Severity.SEV4, 1: Severity.SEV5,
}  # fmt: skip
_OVER = (3, 4, 5)
"""`status_id`: suppressed, resolved, archived."""


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    finding = the_finding(event.detail)
    info = object_field(finding, "finding_info")
    resources = finding.get("resources")
    about = [as_object(r) for r in resources] if isinstance(resources, list) else []
    cloud = as_object(finding.get("cloud"))
    given = finding.get("severity_id")
    severity = _SEVERITIES.get(given) if isinstance(given, int) else None
    over = finding.get("status_id") in _OVER
    if not over and severity not in URGENT and not event.given:
        return Ignored("of neither high nor critical severity")
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=key_of(
            text_field(info, "uid", limit=512),
            account=str(as_object(cloud.get("account")).get("uid") or event.account),
            region=str(cloud.get("region") or event.region),
        ),
        state=SignalState.OK if over else SignalState.FIRING,
        changed_at=milliseconds(info.get("modified_time")) or milliseconds(finding.get("time")) or event.at,
        title=str(info.get("title") or info["uid"]),
        reason=str(info.get("desc") or ""),
        severity=severity,
        resources=texts([r.get("uid") for r in about]),
        tags={k: v for r in about for k, v in pairs(r.get("tags")).items()},
        impact_started_at=milliseconds(info.get("first_seen_time") or info.get("created_time")),
        urgent=severity in URGENT,
    )
