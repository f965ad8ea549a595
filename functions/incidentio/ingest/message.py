"""A queue message's body → what it says: which contract it follows, and what that contract makes of it."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.core.attachment import SENT_ON_PURPOSE, Attachment
from incidentio.core.events import RELEASING, SOURCE
from incidentio.core.signal import Mode
from incidentio.ingest.contracts.alarm_action import read_action
from incidentio.ingest.contracts.cloudwatch import DETAIL_TYPE, read_event
from incidentio.ingest.contracts.registry import reader_of
from incidentio.ingest.observation import (
    Changed,
    Found,
    Observation,
    Released,
    Unreadable,
    as_object,
    not_of_the_future,
    text_field,
)

MAX_BODY = 1024 * 1024
"""What a queue takes: 256 KiB of an SNS message grow when they become JSON within JSON."""
SIGNAL_DETAIL_TYPE = "Signal"
_NOT_JSON = object()


def read(body: str, *, attachment: Attachment, now: datetime) -> Found:
    """Read one body.

    Raises:
        Unreadable: too large, no JSON, no contract of ours, or not keeping to the one it follows. A state
            change that claims to come from the future is one too: as a fence it would shut out what is real.
    """
    if len(body) > MAX_BODY:
        raise Unreadable(f"{len(body)} characters: at most {MAX_BODY}")
    document = _decoded(body)
    if not isinstance(document, dict):
        raise Unreadable("the body is not JSON" if document is _NOT_JSON else "the body is not a JSON object")
    found = _by_contract(document, attachment, now)
    observation = found.signal if isinstance(found, Changed) else found
    if isinstance(observation, Observation):
        not_of_the_future(observation, now)
    return found


def _by_contract(document: Mapping[str, Any], attachment: Attachment, now: datetime) -> Found:
    if "detail-type" in document:
        return _event(document, attachment)
    if "TopicArn" in document and "Message" in document:
        return _notification(document, attachment, now)
    if "incidentio" in document:
        from incidentio.ingest.contracts.received import read_received  # noqa: PLC0415 - as in `_notification`

        return read_received(document)
    # Straight from an alarm, or what Lambda put into the dead letters when such an invocation failed to the last.
    invocation = document if "alarmData" in document else as_object(document.get("requestPayload"))
    if "alarmData" in invocation:
        from incidentio.ingest.contracts.alarm_invocation import read_invocation  # noqa: PLC0415 - a door few use

        return read_invocation(invocation, attachment)
    raise Unreadable("neither an EventBridge event, nor an SNS notification, nor an alarm's invocation")


def _event(event: Mapping[str, Any], attachment: Attachment) -> Found:
    kind = event["detail-type"]
    if kind == DETAIL_TYPE:
        return read_event(event, attachment)
    detail = event.get("detail")
    if kind in RELEASING and event.get("source") == SOURCE:
        return Released(text_field(as_object(detail), "incident_id", limit=40))
    if kind == SIGNAL_DETAIL_TYPE and isinstance(detail, dict) and "incidentio" in detail:
        from incidentio.ingest.contracts.signal_v1 import read_signal  # noqa: PLC0415 - alarms do not need it

        return read_signal(detail)
    if reader := reader_of(event.get("source"), kind):
        return reader(event, attachment)
    raise Unreadable(
        f"no contract of ours has this source and detail-type: an own signal's is {SIGNAL_DETAIL_TYPE!r} "
        "(docs/connect-a-source.md lists them all)"
    )


def _notification(envelope: Mapping[str, Any], attachment: Attachment, now: datetime) -> Found:
    """A message that is one of the known documents is that; any other text is a signal of its own."""
    message = as_object(_decoded(envelope["Message"]))
    if "AlarmName" in message:
        return read_action(message, topic_arn=envelope["TopicArn"], attachment=attachment)
    kind = message.get("detail-type")
    if kind is not None and (kind == DETAIL_TYPE or reader_of(message.get("source"), kind)):
        # Whoever routes an event through our topic means it.
        return _event({**message, "incidentio": {"mode": Mode.LIVE, "reason": SENT_ON_PURPOSE}}, attachment)
    if "incidentio" in message:
        from incidentio.ingest.contracts.signal_v1 import read_signal  # noqa: PLC0415 - as in `_event`

        return read_signal(message)
    # Few messages are none of these, so what reads the others is imported when one comes in.
    from incidentio.ingest.contracts.sns_text import read_other  # noqa: PLC0415

    return read_other(envelope, message, attachment=attachment, now=now)


def _decoded(text: Any) -> Any:
    """The JSON value that `text` is, or _NOT_JSON."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return _NOT_JSON
