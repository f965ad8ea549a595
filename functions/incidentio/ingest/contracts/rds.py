"""RDS: failures, failovers and storage that runs out, of an instance or a cluster.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-cloudwatch-events.sample.html

A failover recovers when it is complete, a failure when the instance has recovered. Storage that runs out has no event
of its own for its end: a person ends it.
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, observed, texts
from incidentio.ingest.observation import Ignored, Observation, text_field

_FAILOVER_DONE = frozenset({"RDS-EVENT-0015", "RDS-EVENT-0049", "RDS-EVENT-0065", "RDS-EVENT-0071"})
_RECOVERED = frozenset({"RDS-EVENT-0021", "RDS-EVENT-0053"})
_CATEGORIES = {"failure": Severity.SEV2, "low storage": Severity.SEV2, "failover": Severity.SEV3}


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    arn = text_field(detail, "SourceArn", limit=512)
    name = text_field(detail, "SourceIdentifier", limit=255)
    number = text_field(detail, "EventID", limit=40)
    told = detail.get("EventCategories")
    categories = [c for c in told if isinstance(c, str)] if isinstance(told, list) else []
    category = "failure" if number in _RECOVERED else next((c for c in _CATEGORIES if c in categories), None)
    if category is None:
        return Ignored("no failure, failover or lack of storage")
    over = number in _RECOVERED or (category == "failover" and number in _FAILOVER_DONE)
    return observed(
        event,
        attachment,
        source="rds",
        key=f"{arn}#{category.replace(' ', '-')}",
        state=SignalState.OK if over else SignalState.FIRING,
        changed_at=event.moment(detail.get("Date")),
        title=f"RDS {name}: {category}",
        reason=f"{number}: {detail.get('Message') or ''}",
        severity=_CATEGORIES[category],
        resources=texts([arn, name]),
        dimensions={"DBInstanceIdentifier" if ":db:" in arn else "DBClusterIdentifier": name},
    )
