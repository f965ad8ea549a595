"""The contract "CloudWatch Alarm Contributor State Change": one time series of an alarm that watches many.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html

A contributor that fires is one more occurrence of its alarm, under the alarm's own key: however many there are, they
are one incident. One that is ok again is a note, since others may still fire; the alarm itself says when all are ok.
An alarm's actions (SNS, Lambda) run for the alarm and for each contributor, so the same is true behind those doors:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Acting_Alarm_Changes.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.redaction import redact
from incidentio.core.signal import Signal, SignalState
from incidentio.ingest.contracts.cloudwatch import read_event
from incidentio.ingest.observation import Ignored, Observation, as_object, object_field, pairs, text_field


def read(event: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    contributor = object_field(object_field(event, "detail"), "alarmContributor")
    text_field(contributor, "id", limit=1024)
    found = read_event(event, attachment)
    return found if isinstance(found, Ignored) else of_contributor(found, contributor.get("attributes"))


def of_contributor(found: Observation, attributes: Any) -> Observation:
    """What an alarm's own document says, said of one contributor with these `attributes`."""
    state = SignalState.FIRING if found.state is SignalState.FIRING else SignalState.NOTE
    given = pairs(as_object(attributes))
    named = ", ".join(f"{k}={v}" for k, v in given.items())
    dimensions = {redact(k, limit=255): redact(v, limit=1024) for k, v in given.items()}

    def build(received_at: Any) -> Signal:
        signal = found.build(received_at)
        subject = signal.subject.model_copy(update={"dimensions": {**signal.subject.dimensions, **dimensions}})
        reason = redact(f"{named}: {signal.reason}", limit=1024)
        return signal.model_copy(update={"state": state, "subject": subject, "reason": reason})

    return Observation(found.dedup_key, state, found.changed_at, found.mode, build)
