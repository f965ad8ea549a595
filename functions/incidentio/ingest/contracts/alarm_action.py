"""The contract of an alarm's SNS action: CloudWatch's own document inside the topic's envelope.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
`Region` is a display name ("EU (Frankfurt)"): account and Region are read off `AlarmArn`. Where a
sender leaves `AlarmArn` out, it is put together from the account and the topic's own Region, which
is the alarm's.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.core.attachment import ATTACHED, Attachment
from incidentio.core.signal import Mode, Signal
from incidentio.ingest.contracts.cloudwatch import alarm_arn, alarm_signal, alarm_state
from incidentio.ingest.observation import Ignored, Observation, Unreadable, as_object, instant, pairs, text_field


def read_action(message: Mapping[str, Any], *, topic_arn: Any, attachment: Attachment) -> Observation | Ignored:
    """One alarm action.

    Raises:
        Unreadable: a field that every alarm action has is missing or wrong.
    """
    name = text_field(message, "AlarmName", limit=255)
    if why := attachment.ignored(name):
        return Ignored(why)
    arn = alarm_arn(message.get("AlarmArn") or _composed_arn(message, name, topic_arn), "AlarmArn")
    state = alarm_state(message.get("NewStateValue"))
    changed_at = instant(message.get("StateChangeTime"))

    def build(received_at: datetime) -> Signal:
        return alarm_signal(
            arn=arn,
            name=name,
            state=state,
            changed_at=changed_at,
            received_at=received_at,
            reason=str(message.get("NewStateReason") or ""),
            reason_data=_triggering(message.get("TriggeringChildren")),
            mode=Mode.LIVE,
            mode_reason=ATTACHED,
            metric=_metric(message.get("Trigger")),
            tags=pairs(message.get("AlarmTags")),
        )

    found = Observation(arn, state, changed_at, Mode.LIVE, build)
    if not message.get("AlarmContributorId"):
        return found
    from incidentio.ingest.contracts.alarm_contributor import of_contributor  # noqa: PLC0415 - few alarms have them

    return of_contributor(found, message.get("AlarmContributorAttributes"))


def _composed_arn(message: Mapping[str, Any], name: str, topic_arn: Any) -> str:
    account = text_field(message, "AWSAccountId", limit=12)
    parts = topic_arn.split(":") if isinstance(topic_arn, str) else []
    if len(parts) != 6:
        raise Unreadable("neither AlarmArn nor a TopicArn to take the Region from")
    return f"arn:{parts[1]}:cloudwatch:{parts[3]}:{account}:alarm:{name}"


def _triggering(children: Any) -> Mapping[str, Any]:
    """What made a composite fire, in the words of an event's `reasonData`."""
    states = [as_object(as_object(child).get("State")) for child in children] if isinstance(children, list) else []
    alarms = [{"state": {"value": state.get("Value"), "timestamp": state.get("Timestamp")}} for state in states]
    return {"triggeringAlarms": alarms} if alarms else {}


def _metric(trigger: Any) -> tuple[str, str, Mapping[str, Any]]:
    """Of a metric alarm: its metric. Of metric math: the first metric that goes in. Of a composite: nothing."""
    found = as_object(trigger)
    metrics = found.get("Metrics")
    for item in metrics if isinstance(metrics, list) else ():
        if metric := as_object(as_object(as_object(item).get("MetricStat")).get("Metric")):
            found = metric
            break
    return str(found.get("Namespace") or ""), str(found.get("MetricName") or ""), pairs(found.get("Dimensions"))
