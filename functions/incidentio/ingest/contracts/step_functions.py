"""Step Functions: a state machine whose execution failed or timed out fires until one succeeds.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html

Input and output are not read: they hold what an execution works with. Our own state machines do not come in.
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, milliseconds, observed, texts
from incidentio.ingest.observation import Ignored, Observation, text_field

_STATES = {"FAILED": SignalState.FIRING, "TIMED_OUT": SignalState.FIRING, "SUCCEEDED": SignalState.OK}


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    machine = text_field(detail, "stateMachineArn", limit=512)
    name = machine.rpartition(":")[2]
    if name.startswith(f"{attachment.own_prefix}-"):
        return Ignored("our own: its failure starts the recovery of a playbook")
    status = text_field(detail, "status", limit=20)
    if status not in _STATES:
        return Ignored("neither failed nor succeeded")
    told = ": ".join(str(detail[part]) for part in ("error", "cause") if detail.get(part))
    return observed(
        event,
        attachment,
        source="states",
        key=machine,
        state=_STATES[status],
        changed_at=milliseconds(detail.get("stopDate")) or event.at,
        title=f"State machine {name}: execution {status.lower().replace('_', ' ')}",
        reason=f"{text_field(detail, 'name', limit=200)} {told}".strip(),
        severity=Severity.SEV3,
        resources=texts([machine]),
        dimensions={"StateMachineArn": machine},
    )
