"""CodePipeline: each execution is a change; one that fails fires until the pipeline succeeds.

https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.ingest.contracts.aws_event import aws_event, person
from incidentio.ingest.contracts.deployment import Outcome, deployed
from incidentio.ingest.observation import Changed, Ignored, as_object, text_field

_OUTCOMES = {"STARTED": Outcome.STARTED, "SUCCEEDED": Outcome.SUCCEEDED, "FAILED": Outcome.FAILED}


def read(document: Mapping[str, Any], attachment: Attachment) -> Changed | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    pipeline = text_field(detail, "pipeline", limit=200)
    execution = text_field(detail, "execution-id", limit=100)
    trigger = as_object(detail.get("execution-trigger"))
    failed = as_object(detail.get("additional-attributes")).get("failedActions")
    causes = [str(as_object(a).get("additionalInformation") or "") for a in failed] if isinstance(failed, list) else []
    arn = event.arn("codepipeline", pipeline)
    return deployed(
        event,
        attachment,
        source="codepipeline",
        id=f"{arn}/{execution}",
        key=arn,
        what=f"CodePipeline {pipeline}",
        outcome=_OUTCOMES.get(text_field(detail, "state", limit=40)),
        reason="; ".join(filter(None, causes)) or f"execution {execution}",
        resources=[arn],
        actor=_actor(trigger),
    )


def _actor(trigger: Mapping[str, Any]) -> str:
    detail = trigger.get("trigger-detail")
    return (
        person(detail)
        if isinstance(detail, str) and detail.startswith("arn:")
        else str(trigger.get("trigger-type") or "")
    )
