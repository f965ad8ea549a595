"""Auto Scaling: a group that cannot launch or terminate instances fires until it can again; refreshes are deployments.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-eventbridge-events.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-sns-notifications.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import SENT_ON_PURPOSE, Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, SignalState
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
_NOTIFIED = {
    f"autoscaling:EC2_INSTANCE_{what}{end}": (what.lower(), bool(end))
    for what in ("LAUNCH", "TERMINATE")
    for end in ("", "_ERROR")
}
_TRIED_OUT = "autoscaling:TEST_NOTIFICATION"


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Changed | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    kind = str(document["detail-type"])
    if kind.startswith(_REFRESH):
        return _refresh(event, attachment, kind.removeprefix(_REFRESH))
    what = "launch" if "Launch" in kind else "terminate"
    return _told(event, attachment, what=what, failed=kind.endswith("Unsuccessful"))


def read_notification(
    message: Mapping[str, Any], *, published: str, attachment: Attachment
) -> Observation | Ignored | None:
    """The SNS message of a group that notifies our topic; its first only tries the topic out. None when it is no such.

    Raises:
        Unreadable: a field that every notification has is missing.
    """
    told = str(message.get("Event"))
    if told == _TRIED_OUT:
        return Ignored("Auto Scaling tries out the topic")
    if told not in _NOTIFIED:
        return None
    what, failed = _NOTIFIED[told]
    account = text_field(message, "AccountId", limit=20)
    arn = text_field(message, "AutoScalingGroupARN", limit=1600)
    region = [*arn.split(":"), *[""] * 4][3]
    event = AwsEvent("", account, region, published, (arn,), message, (Mode.LIVE, SENT_ON_PURPOSE))
    return _told(event, attachment, what=what, failed=failed)


def _told(event: AwsEvent, attachment: Attachment, *, what: str, failed: bool) -> Observation:
    detail = event.detail
    group = text_field(detail, "AutoScalingGroupName", limit=300)
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=event.key(SOURCE, group, what),
        state=SignalState.FIRING if failed else SignalState.OK,
        changed_at=event.moment(detail.get("EndTime"), detail.get("Time")),
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
