"""A queue message's body → an observation: which contract it follows, and what that contract says."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.ids import iso
from incidentio.ingest.alarm_action import read_action
from incidentio.ingest.cloudwatch import DETAIL_TYPE, read_event
from incidentio.ingest.observation import Ignored, Observation, Unreadable
from incidentio.ingest.signal_v1 import MARK, read_signal

MAX_BODY = 256 * 1024
SIGNAL_DETAIL_TYPE = "Signal"
_CLOCK_SKEW = timedelta(minutes=15)


def read(body: str, *, attachment: Attachment, now: datetime) -> Observation | Ignored:
    """Read one body.

    Raises:
        Unreadable: too large, no JSON, no contract of ours, or not keeping to the one it follows. A state
            change that claims to come from the future is one too: as a fence it would shut out what is real.
    """
    if len(body) > MAX_BODY:
        raise Unreadable(f"{len(body)} characters: at most {MAX_BODY}")
    observation = _by_contract(_object(body, "the body"), attachment)
    if isinstance(observation, Observation) and observation.changed_at > iso(now + _CLOCK_SKEW):
        raise Unreadable(f"its state changed at {observation.changed_at}, which is in the future")
    return observation


def _by_contract(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    if "detail-type" in document:
        return _event(document, attachment)
    if "TopicArn" in document and "Message" in document:
        return _notification(document, attachment)
    raise Unreadable("neither an EventBridge event nor an SNS notification")


def _event(event: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    kind = event["detail-type"]
    if kind == DETAIL_TYPE:
        return read_event(event, attachment)
    detail = event.get("detail")
    if kind == SIGNAL_DETAIL_TYPE and isinstance(detail, dict) and "incidentio" in detail:
        return read_signal(detail)
    raise Unreadable(f"unknown detail-type: expected {DETAIL_TYPE!r} or {SIGNAL_DETAIL_TYPE!r}")


def _notification(envelope: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    message = _object(envelope["Message"], "the SNS message")
    if "AlarmName" in message:
        return read_action(message, topic_arn=envelope["TopicArn"], attachment=attachment)
    if "incidentio" in message:
        return read_signal(message)
    raise Unreadable(f"the SNS message is neither an alarm action nor a {MARK}")


def _object(text: Any, what: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise Unreadable(f"{what} is not JSON") from None
    if not isinstance(document, dict):
        raise Unreadable(f"{what} is not a JSON object")
    return document
