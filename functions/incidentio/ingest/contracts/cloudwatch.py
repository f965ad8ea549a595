"""The contract "CloudWatch Alarm State Change", metric and composite, from EventBridge.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.redaction import redact, redact_data
from incidentio.core.signal import Mode, Signal, SignalState, Subject
from incidentio.ingest.impact import impact_start
from incidentio.ingest.observation import (
    ALARM_STATES,
    Ignored,
    Observation,
    Unreadable,
    as_object,
    given_mode,
    instant,
    kind_tag,
    object_field,
    safe,
    severity_tag,
    text_field,
)

SOURCE = "cloudwatch"
DETAIL_TYPE = "CloudWatch Alarm State Change"


def read_event(event: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """One state change event.

    An event that our own reconciliation put into the queue carries `incidentio: {mode, reason}` beside
    `detail`, where nothing that comes over a bus can.

    Raises:
        Unreadable: it says so and is not.
    """
    if event.get("source") != "aws.cloudwatch":
        raise Unreadable(f"{DETAIL_TYPE} from another source than aws.cloudwatch")
    detail = object_field(event, "detail")
    name = text_field(detail, "alarmName", limit=255)
    if why := attachment.ignored(name):
        return Ignored(why)
    arn = _arn(event)
    state = object_field(detail, "state")
    tags = _tags(detail.get("alarmTags"))
    mode, mode_reason = (
        given_mode(event) or _held(detail) or attachment.of_event(alarm_name=name, alarm_arn=arn, tags=tags)
    )
    changed_at = instant(state.get("timestamp"))
    value = alarm_state(state.get("value"))

    def build(received_at: datetime) -> Signal:
        return alarm_signal(
            arn=arn,
            name=name,
            state=value,
            changed_at=changed_at,
            received_at=received_at,
            reason=str(state.get("reason") or ""),
            reason_data=state.get("reasonData"),
            mode=mode,
            mode_reason=mode_reason,
            metric=_metric(detail),
            tags=tags,
        )

    return Observation(arn, value, changed_at, mode, build)


def _held(detail: Mapping[str, Any]) -> tuple[Mode, str] | None:
    """Somebody muted the alarm or what suppresses it fires: CloudWatch runs none of its actions, and neither do we.

    The sweep looks again, and makes it live once that is over.
    """
    if mute := as_object(detail.get("muteDetail")):
        return Mode.MONITOR, f"muted by {mute.get('mutedByArn') or 'a mute rule'}"
    if by := as_object(detail.get("state")).get("actionsSuppressedBy"):
        return Mode.MONITOR, f"its actions are suppressed ({by})"
    return None


def alarm_state(value: Any) -> SignalState:
    """Raises: Unreadable."""
    state = ALARM_STATES.get(value) if isinstance(value, str) else None
    if state is None:
        raise Unreadable(f"unknown alarm state {redact(str(value), limit=40)!r}: expected {', '.join(ALARM_STATES)}")
    return state


def alarm_signal(
    *,
    arn: str,
    name: str,
    state: SignalState,
    changed_at: str,
    received_at: datetime,
    reason: str,
    reason_data: Any,
    mode: Mode,
    mode_reason: str,
    metric: tuple[str, str, Mapping[str, Any]],
    tags: Mapping[str, str],
) -> Signal:
    """The signal of one alarm state change, through whichever door.

    `metric` is namespace, name and dimensions; empty where the alarm has none of its own.
    """
    _, _, _, region, account, _ = arn.split(":", 5)
    namespace, metric_name, dimensions = metric
    at = datetime.fromisoformat(changed_at)
    return Signal(
        source=SOURCE,
        dedup_key=arn,
        state=state,
        changed_at=at,
        received_at=received_at,
        impact_started_at=impact_start(reason=reason, reason_data=reason_data, changed_at=at)
        if state is SignalState.FIRING
        else None,
        title=redact(name, limit=200),
        reason=redact(reason, limit=1024),
        severity=severity_tag(tags),
        service=_label(tags.get("incidentio:service")),
        environment=_label(tags.get("incidentio:environment") or tags.get("environment")),
        kind=kind_tag(tags),
        mode=mode,
        mode_reason=redact(mode_reason, limit=256),
        subject=Subject(
            account=account,
            region=region,
            alarm_name=name,
            alarm_arn=arn,
            namespace=redact(namespace, limit=255),
            metric=redact(metric_name, limit=255),
            dimensions={
                redact(str(k), limit=255): redact(str(v), limit=1024) for k, v in list(dimensions.items())[:30]
            },
        ),
        tags=redact_data(tags, limit=256),
    )


def _label(value: str | None) -> str | None:
    return redact(value, limit=63) if value else None


def _arn(event: Mapping[str, Any]) -> str:
    resources = event.get("resources")
    arn = resources[0] if isinstance(resources, list) and resources else None
    return alarm_arn(arn, "resources[0]")


def alarm_arn(arn: Any, where: str) -> str:
    """Raises: Unreadable: not the ARN of an alarm."""
    parts = arn.split(":", 6) if isinstance(arn, str) and len(arn) <= 1024 else ()
    if len(parts) != 7 or parts[0] != "arn" or parts[2] != "cloudwatch" or parts[5] != "alarm" or not parts[4]:
        raise Unreadable(f"{where} is not the ARN of an alarm")
    return safe(str(arn), where)


def _tags(tags: Any) -> Mapping[str, str]:
    """`alarmTags` is there only where an alarm opted in."""
    return {str(k): str(v) for k, v in tags.items()} if isinstance(tags, dict) else {}


def _metric(detail: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    """Namespace, name and dimensions of the metric: for metric math, of the first one that goes in."""
    metrics = as_object(detail.get("configuration")).get("metrics")
    for item in metrics if isinstance(metrics, list) else ():
        metric = as_object(as_object(as_object(item).get("metricStat")).get("metric"))
        if metric:
            return (
                str(metric.get("namespace", "")),
                str(metric.get("name", "")),
                as_object(metric.get("dimensions")),
            )
    return "", "", {}
