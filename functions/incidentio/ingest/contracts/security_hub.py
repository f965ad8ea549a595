"""Security Hub findings in the AWS Security Finding Format.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html

A finding fires while it is active and new or notified; archived, resolved, suppressed or passed it is ok. Its key is
its ARN: that of a GuardDuty finding is GuardDuty's own, so both doors meet in one incident.
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, observed, texts
from incidentio.ingest.observation import Ignored, Observation, Unreadable, as_object, pairs, text_field

SOURCE = "securityhub"
_SEVERITIES = {
    "CRITICAL": Severity.SEV1,
    "HIGH": Severity.SEV2,
    "MEDIUM": Severity.SEV3,
    "LOW": Severity.SEV4,
    "INFORMATIONAL": Severity.SEV5,
}
URGENT = (Severity.SEV1, Severity.SEV2)


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    finding = the_finding(event.detail)
    resources = finding.get("Resources")
    about = [as_object(r) for r in resources] if isinstance(resources, list) else []
    severity = _SEVERITIES.get(str(as_object(finding.get("Severity")).get("Label")))
    over = (
        finding.get("RecordState") == "ARCHIVED"
        or as_object(finding.get("Workflow")).get("Status") in ("RESOLVED", "SUPPRESSED")
        or as_object(finding.get("Compliance")).get("Status") == "PASSED"
    )
    if not over and severity not in URGENT and not event.given:
        return Ignored("of neither high nor critical severity")
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=key_of(
            text_field(finding, "Id", limit=512),
            account=str(finding.get("AwsAccountId") or event.account),
            region=str(finding.get("Region") or event.region),
        ),
        state=SignalState.OK if over else SignalState.FIRING,
        changed_at=event.moment(finding.get("UpdatedAt")),
        title=str(finding.get("Title") or finding["Id"]),
        reason=str(finding.get("Description") or ""),
        severity=severity,
        resources=texts([r.get("Id") for r in about]),
        tags={k: v for r in about for k, v in pairs(r.get("Tags")).items()},
        impact_started_at=event.moment(finding.get("FirstObservedAt"), finding.get("CreatedAt")),
        urgent=severity in URGENT,
    )


def key_of(id: str, *, account: str, region: str) -> str:
    """An ARN as it is; any other id is only its product's own word, which two accounts may share."""
    return id if id.startswith("arn:") else f"{SOURCE}/{account}/{region}/{id}"


def the_finding(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one finding of an event: AWS sends each in an event of its own.

    Raises:
        Unreadable: there is another number of them.
    """
    findings = detail.get("findings")
    if not isinstance(findings, list) or len(findings) != 1 or not isinstance(findings[0], dict):
        raise Unreadable("detail.findings does not hold exactly one finding")
    return findings[0]
