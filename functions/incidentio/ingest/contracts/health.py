"""AWS Health: an issue or investigation is open and fires, or it is closed and ok.

https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html

The same issue comes in pages, for each account of an organisation, and a second time through the backup Region: one ARN
and account are one signal.
"""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.ids import iso
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, observed, texts
from incidentio.ingest.observation import Ignored, Observation, as_object, text_field

SOURCE = "health"


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    if detail.get("eventTypeCategory") not in ("issue", "investigation"):
        return Ignored("neither an issue nor an investigation")
    arn = text_field(detail, "eventArn", limit=512)
    account = str(detail.get("affectedAccount") or event.account)
    region = str(detail.get("eventRegion") or event.region)
    entities = detail.get("affectedEntities")
    affected = [as_object(e).get("entityValue") for e in entities] if isinstance(entities, list) else []
    resources = texts([*event.resources, *affected, arn])
    ours = detail.get("eventScopeCode") == "ACCOUNT_SPECIFIC"
    closed = detail.get("statusCode") == "closed"
    words = " ".join(text_field(detail, "eventTypeCode", limit=200).removeprefix("AWS_").lower().split("_"))
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=f"{arn}/{account}",
        state=SignalState.OK if closed else SignalState.FIRING,
        changed_at=_time(detail.get("lastUpdatedTime")) or event.at,
        title=f"AWS {detail.get('service') or ''} in {region}: {words}",
        reason=_described(detail.get("eventDescription")),
        severity=Severity.SEV2 if ours else Severity.SEV3,
        resources=resources,
        impact_started_at=_time(detail.get("startTime")),
    )


def _time(text: Any) -> str | None:
    """RFC 1123, in which this source alone writes its times."""
    try:
        at = parsedate_to_datetime(text if isinstance(text, str) else "")
    except (TypeError, ValueError):
        return None
    return iso(at.astimezone(UTC)) if at.tzinfo and at.year > 2000 else None


def _described(descriptions: Any) -> str:
    found = [as_object(d) for d in descriptions] if isinstance(descriptions, list) else []
    english = [d for d in found if str(d.get("language", "")).startswith("en")]
    return str((english or found or [{}])[0].get("latestDescription") or "")
