"""Whatever anybody publishes to the signal topic: one signal a message, told by attributes or by its subject alone.

The attributes `dedup_key`, `state`, `severity` and `service` are read, and every other text attribute is a label. They
come as `MessageAttributes` in the envelope: https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
"""

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from incidentio.core.attachment import SENT_ON_PURPOSE, Attachment
from incidentio.core.errors import InvalidInput
from incidentio.core.ids import iso
from incidentio.core.redaction import is_clean, redact, redact_data
from incidentio.core.severity import Severity, parse_severity
from incidentio.core.signal import Mode, Signal, SignalState, Subject
from incidentio.ingest.contracts.autoscaling import read_notification
from incidentio.ingest.contracts.budget import read_budget
from incidentio.ingest.contracts.cost_anomaly import read_message
from incidentio.ingest.contracts.states import state_called
from incidentio.ingest.observation import Ignored, Observation, Unreadable, as_object, instant, kind_tag

SOURCE = "sns"

_KEY = re.compile(r"[\x21-\x7e]{1,256}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_OWN = ("dedup_key", "state", "severity", "service", "environment")
_LABELS = 30


def read_other(
    envelope: Mapping[str, Any], message: Mapping[str, Any], *, attachment: Attachment, now: datetime
) -> Observation | Ignored:
    """What is no alarm, event or form of ours: a cost anomaly, what Auto Scaling or a budget says, or any other text.

    Raises:
        Unreadable: there is no text.
    """
    published = _published(envelope, now)
    if "anomalyId" in message and "accountId" in message:
        return read_message(message, published=published, attachment=attachment)
    if notified := read_notification(message, published=published, attachment=attachment):
        return notified
    text = envelope.get("Message")
    budget = read_budget(text, published=published, attachment=attachment) if isinstance(text, str) else None
    return budget or read_text(envelope, published=published)


def read_text(envelope: Mapping[str, Any], *, published: str) -> Observation:
    """One message. Without a state it fires; without a dedup key its subject (or else its first line) is one.

    A state, severity or service that nobody knows is no reason to lose the message: it counts as not given.

    Raises:
        Unreadable: there is no text.
    """
    text, subject = envelope.get("Message"), envelope.get("Subject")
    if not isinstance(text, str) or not text.strip():
        raise Unreadable("the SNS message has no text")
    title = (subject if isinstance(subject, str) else "").strip() or text.strip().splitlines()[0]
    topic = str(envelope.get("TopicArn") or "")
    given = _attributes(envelope.get("MessageAttributes"))
    state = state_called(given.get("state")) or SignalState.FIRING
    key = _dedup_key(given.get("dedup_key", ""), topic, title)
    severity = _severity(given.get("severity", ""))
    labels = {name: value for name, value in given.items() if name not in _OWN}

    def build(received_at: datetime) -> Signal:
        _, _, _, region, account, *_ = [*topic.split(":"), *[""] * 5]
        at = datetime.fromisoformat(published)
        return Signal(
            source=SOURCE,
            dedup_key=key,
            state=state,
            changed_at=at,
            received_at=received_at,
            impact_started_at=at if state is SignalState.FIRING else None,
            title=redact(title, limit=200),
            reason=redact(text, limit=1024),
            severity=severity,
            service=_name(given.get("service")),
            environment=_name(given.get("environment")),
            kind=kind_tag(labels),
            mode=Mode.LIVE,
            mode_reason=SENT_ON_PURPOSE,
            subject=Subject(account=account[:20], region=region[:40]),
            tags=redact_data(labels, limit=256),
        )

    return Observation(key, state, published, Mode.LIVE, build, severity)


def _attributes(given: Any) -> dict[str, str]:
    """Name → value of the attributes that are texts or numbers."""
    found = {}
    for name, attribute in list(as_object(given).items())[: _LABELS + len(_OWN)]:
        value = as_object(attribute).get("Value")
        if isinstance(value, str) and as_object(attribute).get("Type") != "Binary":
            found[str(name)] = value
    return found


def _dedup_key(given: str, topic: str, title: str) -> str:
    """The sender's own; a hash of it where it may not be shown; else a hash of topic and title."""
    if _KEY.fullmatch(given) and is_clean(given):
        return given
    name = topic.rpartition(":")[2][:256] if topic.isprintable() else ""
    return f"sns/{name}/{_digest(given if given.strip() else f'{topic} {title}')}"


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:24]


def _published(envelope: Mapping[str, Any], now: datetime) -> str:
    try:
        return instant(envelope.get("Timestamp"))
    except Unreadable:
        return iso(now)


def _severity(text: str) -> Severity | None:
    try:
        return parse_severity(text)
    except InvalidInput:
        return None


def _name(text: str | None) -> str | None:
    return text if text and _NAME.fullmatch(text) and is_clean(text) else None
