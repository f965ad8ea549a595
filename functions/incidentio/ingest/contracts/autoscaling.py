"""Auto Scaling: a group that cannot launch or terminate instances fires until it can again; refreshes are deployments.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import AwsEvent, aws_event, observed, texts
from incidentio.ingest.contracts.deployment import Outcome, deployed
from incidentio.ingest.observation import Changed, Ignored, Observation, text_field

SOURCE = "autoscaling"
_REFRESH = "EC2 Auto Scaling Instance Refresh "
_OUTCOMES = {
    "Started": Outcome.STARTED,
    "Succeeded": Outcome.SUCCEEDED,
    "Failed": Outcome.FAILED,
    "Rollback Succeeded": Outcome.FAILED,  # the new instances are gone again
    "Rollback Failed": Outcome.FAILED,
}


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Changed | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    kind = str(document["detail-type"])
    if kind.startswith(_REFRESH):
        return _refresh(event, attachment, kind.removeprefix(_REFRESH))
    what = "launch" if "Launch" in kind else "terminate"
    return _told(event, attachment, what=what, failed=kind.endswith("Unsuccessful"))


def _told(event: AwsEvent, attachment: Attachment, *, what: str, failed: bool) -> Observation:
    detail = event.detail
    group = text_field(detail, "AutoScalingGroupName", limit=300)
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=event.key(SOURCE, group, what),
        state=SignalState.FIRING if failed else SignalState.OK,
        changed_at=event.moment(detail.get("EndTime")),
        title=f"Auto Scaling group {group} {'cannot' if failed else 'can'} {what} instances",
        reason=str(detail.get("StatusMessage") or detail.get("Cause") or ""),
        severity=Severity.SEV3,
        resources=texts([*event.resources, group]),
        dimensions={"AutoScalingGroupName": group},
    )


def _refresh(event: AwsEvent, attachment: Attachment, status: str) -> Changed | Ignored:
    group = text_field(event.detail, "AutoScalingGroupName", limit=300)
    refresh = text_field(event.detail, "InstanceRefreshId", limit=100)
    return deployed(
        event,
        attachment,
        source=SOURCE,
        id=event.key(SOURCE, group, refresh),
        key=event.key(SOURCE, group, "refresh"),
        what=f"Auto Scaling {group}",
        outcome=_OUTCOMES.get(status),
        reason=f"instance refresh {refresh}: {status.lower()}",
        resources=[*event.resources, group],
        dimensions={"AutoScalingGroupName": group},
    )
