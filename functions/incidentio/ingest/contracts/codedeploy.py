"""CodeDeploy: each deployment is a change; one that fails or is stopped half-way fires until the next succeeds.

https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.ingest.contracts.aws_event import aws_event
from incidentio.ingest.contracts.deployment import Outcome, deployed
from incidentio.ingest.observation import Changed, Ignored, text_field

_OUTCOMES = {
    "START": Outcome.STARTED,
    "SUCCESS": Outcome.SUCCEEDED,
    "FAILURE": Outcome.FAILED,
    "STOP": Outcome.FAILED,
}


def read(document: Mapping[str, Any], attachment: Attachment) -> Changed | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    state = text_field(detail, "state", limit=40)
    application = text_field(detail, "application", limit=200)
    group = text_field(detail, "deploymentGroup", limit=200)
    deployment = text_field(detail, "deploymentId", limit=100)
    return deployed(
        event,
        attachment,
        source="codedeploy",
        id=event.key("codedeploy", deployment),
        key=event.key("codedeploy", application, group),
        what=f"CodeDeploy {application}/{group}",
        outcome=_OUTCOMES.get(state),
        reason=f"deployment {deployment}: {state}",
        resources=[*event.resources, application],
    )
