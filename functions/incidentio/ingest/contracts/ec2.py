"""EC2: an operation on a volume, a snapshot, an image or a fleet that failed. No recovery is told: a person ends it.

https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ec2-fleet-using-eventbridge.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, observed, resource_of, texts
from incidentio.ingest.observation import Ignored, Observation, as_object, text_field


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    resource = resource_of(event)
    if document["detail-type"].endswith("Fleet Error"):
        what, reason = text_field(detail, "sub-type", limit=200), detail.get("description")
    elif "failed" not in (detail.get("result"), detail.get("State")):
        return Ignored("it did not fail")
    elif "ImageId" in detail:
        what, reason = "image", detail.get("ErrorMessage")
    else:
        what, reason = text_field(detail, "event", limit=200), detail.get("cause")
    snapshots = detail.get("snapshots")
    copied = [as_object(one).get("source") for one in snapshots] if isinstance(snapshots, list) else []
    return observed(
        event,
        attachment,
        source="ec2",
        key=f"{resource}#{what}",
        state=SignalState.FIRING,
        changed_at=event.at,
        title=f"{resource.rpartition('/')[2]}: {what} failed",
        reason=str(reason or ""),
        severity=Severity.SEV3,
        resources=texts([*event.resources, detail.get("source"), detail.get("snapshot_id"), *copied]),
    )
