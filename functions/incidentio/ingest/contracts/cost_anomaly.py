"""AWS Cost Anomaly Detection, as an event and as an SNS message. No recovery is told: a person ends it.

https://docs.aws.amazon.com/cost-management/latest/userguide/cad-eventbridge.html
https://docs.aws.amazon.com/cost-management/latest/userguide/ad-SNS.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import SENT_ON_PURPOSE, Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, SignalState
from incidentio.ingest.contracts.aws_event import AwsEvent, aws_event, observed, texts
from incidentio.ingest.observation import Observation, as_object, text_field

SOURCE = "cost"


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation:
    """Raises: Unreadable."""
    return _anomaly(aws_event(document), attachment)


def read_message(message: Mapping[str, Any], *, published: str, attachment: Attachment) -> Observation:
    """The SNS message, which somebody subscribed our topic to.

    Raises:
        Unreadable: a field that every anomaly has is missing.
    """
    account = text_field(message, "accountId", limit=20)
    return _anomaly(AwsEvent("", account, "", published, (), message, (Mode.LIVE, SENT_ON_PURPOSE)), attachment)


def _anomaly(event: AwsEvent, attachment: Attachment) -> Observation:
    detail = event.detail
    anomaly = text_field(detail, "anomalyId", limit=200)
    account = str(detail.get("accountId") or event.account)
    about = detail.get("dimensionValue") or detail.get("dimensionalValue") or detail.get("monitorName") or "spend"
    causes = [as_object(c) for c in _list(detail.get("rootCauses"))]
    impact = as_object(detail.get("impact"))
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=f"cost-anomaly/{account}/{anomaly}",
        state=SignalState.FIRING,
        changed_at=event.at,
        title=f"Unusual spend on {about}",
        reason=_reason(impact, causes, detail.get("anomalyDetailsLink")),
        severity=Severity.SEV3,
        resources=texts([detail.get("monitorArn"), detail.get("monitorName")]),
        impact_started_at=event.moment(detail.get("anomalyStartDate")),
    )


def _reason(impact: Mapping[str, Any], causes: list[Mapping[str, Any]], link: Any) -> str:
    parts = []
    if "totalImpact" in impact:
        parts.append(
            f"{impact['totalImpact']} USD more than expected "
            f"({impact.get('totalActualSpend', '?')} instead of {impact.get('totalExpectedSpend', '?')})"
        )
    words = ("service", "usageType", "region", "linkedAccount")
    named = [" ".join(str(cause[w]) for w in words if cause.get(w)) for cause in causes[:3]]
    if any(named):
        parts.append("caused by " + "; ".join(filter(None, named)))
    if isinstance(link, str):
        parts.append(link)
    return ", ".join(parts)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
