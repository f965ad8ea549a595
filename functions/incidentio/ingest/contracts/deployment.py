"""What the tools that deploy have in common: each state is a change record, and its failure a signal."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import AwsEvent, change, observed, texts
from incidentio.ingest.observation import Changed, Ignored


class Outcome(StrEnum):
    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


def deployed(
    event: AwsEvent,
    attachment: Attachment,
    *,
    source: str,
    id: str,
    key: str,
    what: str,
    outcome: Outcome | None,
    reason: str,
    resources: Sequence[str],
    changed_at: str | None = None,
    actor: str = "",
    dimensions: Mapping[str, str] | None = None,
) -> Changed | Ignored:
    """The change, and the signal where it ended. A failed deployment is SEV3: what ran before usually still runs.

    None as `outcome` is a state that says nothing of either.
    """
    if outcome is None:
        return Ignored("a state between the start and the end of a deployment")
    at = changed_at or event.at
    named = texts(resources)
    record = change(
        event,
        attachment,
        source=source,
        id=id,
        what=f"{what} {outcome}" + (f": {reason}" if outcome is Outcome.FAILED else ""),
        status=outcome,
        at=at,
        actor=actor,
        resources=named,
    )
    if outcome is Outcome.STARTED:
        return Changed(record)
    failed = outcome is Outcome.FAILED
    signal = observed(
        event,
        attachment,
        source=source,
        key=key,
        state=SignalState.FIRING if failed else SignalState.OK,
        changed_at=at,
        title=f"{what} {'deployment failed' if failed else 'deployed'}",
        reason=reason,
        severity=Severity.SEV3,
        resources=named,
        dimensions=dimensions,
    )
    return Changed(record, signal)
