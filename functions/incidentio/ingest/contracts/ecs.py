"""ECS: a deployment is a change and fires when it fails; a service that cannot start tasks fires until it is steady.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import AwsEvent, aws_event, observed, resource_of
from incidentio.ingest.contracts.deployment import Outcome, deployed
from incidentio.ingest.observation import Changed, Ignored, Observation, Unreadable, text_field

SOURCE = "ecs"
_OUTCOMES = {
    "SERVICE_DEPLOYMENT_IN_PROGRESS": Outcome.STARTED,
    "SERVICE_DEPLOYMENT_COMPLETED": Outcome.SUCCEEDED,
    "SERVICE_DEPLOYMENT_FAILED": Outcome.FAILED,
}
_STEADY = "SERVICE_STEADY_STATE"


def read(document: Mapping[str, Any], attachment: Attachment) -> Changed | Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    arn = resource_of(event)
    path = arn.partition(":service/")[2].split("/")
    if not path[0]:
        raise Unreadable("resources[0] is not the ARN of an ECS service")
    # Before 2018 an ARN had no cluster in it; an event's detail may still name it.
    cluster = path[0] if len(path) > 1 else str(event.detail.get("clusterArn") or "").rpartition("/")[2]
    dimensions = {"ClusterName": cluster, "ServiceName": path[-1]}
    if document["detail-type"] == "ECS Deployment State Change":
        return _deployment(event, attachment, arn, dimensions)
    return _action(event, attachment, arn, dimensions)


def _deployment(event: AwsEvent, attachment: Attachment, arn: str, dimensions: Mapping[str, str]) -> Changed | Ignored:
    name = text_field(event.detail, "eventName", limit=100)
    deployment = text_field(event.detail, "deploymentId", limit=200)
    return deployed(
        event,
        attachment,
        source=SOURCE,
        id=f"{arn}/{deployment}",
        key=f"{arn}#deployment",
        what=f"ECS {dimensions['ClusterName']}/{dimensions['ServiceName']}",
        outcome=_OUTCOMES.get(name),
        reason=str(event.detail.get("reason") or name),
        resources=event.resources,
        changed_at=event.moment(event.detail.get("updatedAt")),
        dimensions=dimensions,
    )


def _action(event: AwsEvent, attachment: Attachment, arn: str, dimensions: Mapping[str, str]) -> Observation:
    name = text_field(event.detail, "eventName", limit=100)
    words = name.removeprefix("SERVICE_").replace("_", " ").lower()
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=f"{arn}#tasks",
        state=SignalState.OK if name == _STEADY else SignalState.FIRING,
        changed_at=event.moment(event.detail.get("createdAt")),
        title=f"ECS {dimensions['ClusterName']}/{dimensions['ServiceName']}: {words}",
        reason=str(event.detail.get("reason") or name),
        severity=Severity.SEV3,
        resources=event.resources,
        dimensions=dimensions,
    )
