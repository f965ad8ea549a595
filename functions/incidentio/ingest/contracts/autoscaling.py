"""Auto Scaling: a group that cannot launch or terminate instances fires until it can again.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, observed, texts
from incidentio.ingest.observation import Observation, text_field


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation:
    """Raises: Unreadable."""
    event = aws_event(document)
    group = text_field(event.detail, "AutoScalingGroupName", limit=300)
    launches = "Launch" in document["detail-type"]
    what = "launch" if launches else "terminate"
    failed = document["detail-type"].endswith("Unsuccessful")
    message = event.detail.get("StatusMessage") or event.detail.get("Cause") or ""
    return observed(
        event,
        attachment,
        source="autoscaling",
        key=event.key("autoscaling", group, what),
        state=SignalState.FIRING if failed else SignalState.OK,
        changed_at=event.moment(event.detail.get("EndTime")),
        title=f"Auto Scaling group {group} {'cannot' if failed else 'can'} {what} instances",
        reason=str(message),
        severity=Severity.SEV3,
        resources=texts([*event.resources, group]),
        dimensions={"AutoScalingGroupName": group},
    )
