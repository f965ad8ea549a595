"""CloudFormation: what happens to a stack is a change; one that fails or rolls back fires until it is whole again.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/eventbridge-integration.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.ingest.contracts.aws_event import aws_event
from incidentio.ingest.contracts.deployment import Outcome, deployed
from incidentio.ingest.observation import Changed, Ignored, Unreadable, object_field, text_field

_OUTCOMES = {
    **dict.fromkeys(
        ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"), Outcome.STARTED
    ),
    **dict.fromkeys(("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE", "IMPORT_COMPLETE"), Outcome.SUCCEEDED),
    **dict.fromkeys(
        (
            "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED", "ROLLBACK_COMPLETE",
            "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED", "IMPORT_ROLLBACK_COMPLETE",
        ),
        Outcome.FAILED,
    ),
}  # fmt: skip


def read(document: Mapping[str, Any], attachment: Attachment) -> Changed | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    stack = text_field(event.detail, "stack-id", limit=512)
    arn, slash, _ = stack.rpartition("/")
    if not slash or ":stack/" not in arn:
        raise Unreadable("stack-id is not the ARN of a stack")
    name = arn.rpartition("/")[2]
    if name == attachment.own_prefix or name.startswith(f"{attachment.own_prefix}-"):
        return Ignored("our own")
    told = object_field(event.detail, "status-details")
    status = text_field(told, "status", limit=100)
    token = event.detail.get("client-request-token")
    return deployed(
        event,
        attachment,
        source="cloudformation",
        id=f"{stack}/{token if isinstance(token, str) and token else event.id}",
        key=arn,
        what=f"CloudFormation {name}",
        outcome=_OUTCOMES.get(status),
        reason=f"{status} {told.get('status-reason') or ''}".strip(),
        resources=[arn],
    )
