"""Is anything stuck? Whatever could not be processed waits in a dead letter queue."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from incidentio.cli.doctor.finding import Finding
from incidentio.cli.output import ago

# Name in the report, stack output, and name for `incidentio dlq`.
_DEAD_LETTERS = (
    ("ingest dead letters", "IngestDlqUrl", "ingest"),
    ("outbox dead letters", "OutboxDlqUrl", "outbox"),
    ("lane dead letters", "LaneDlqUrl", "lane"),
    ("communicate dead letters", "CommunicateDlqUrl", "communicate"),
)


def check_dead_letters(sqs: Any, outputs: Mapping[str, str]) -> Iterator[Finding]:
    """Every dead letter queue is empty; otherwise how many, since when, and why the oldest seen is there."""
    for name, output, queue in _DEAD_LETTERS:
        if url := outputs.get(output):
            yield _queue(sqs, name, url, queue)


def _queue(sqs: Any, name: str, url: str, queue: str) -> Finding:
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    waiting = sum(int(count) for count in attributes.values())
    if not waiting:
        return Finding(name, "ok", "empty")
    return Finding(
        name,
        "fail",
        f"{waiting} waiting{_oldest(sqs, url)}",
        f"look: incidentio dlq list --queue {queue}; send again: incidentio dlq redrive --all --queue {queue}",
    )


def _oldest(sqs: Any, url: str) -> str:
    # Seen for no time: the messages stay visible to whoever looks next.
    seen = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageSystemAttributeNames=["SentTimestamp"],
        MessageAttributeNames=["All"],
    ).get("Messages", [])
    if not seen:
        return ""
    oldest = min(seen, key=lambda message: int(message["Attributes"]["SentTimestamp"]))
    sent = datetime.fromtimestamp(int(oldest["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return f", the oldest seen since {ago(sent.isoformat())}: {reason(oldest)}"


def reason(message: Mapping[str, Any]) -> str:
    """Why a message is a dead letter, as whoever put it there says."""
    attributes = message.get("MessageAttributes") or {}
    for name in ("reason", "ERROR_MESSAGE", "errorMessage"):
        if name in attributes:
            return str(attributes[name].get("StringValue", ""))[:160]
    try:
        body = json.loads(message["Body"])
    except ValueError:
        return "no reason given"
    context = body.get("requestContext") if isinstance(body, dict) else None
    if isinstance(context, dict) and "condition" in context:
        return str(context["condition"])[:160]
    found = body.get("reason") if isinstance(body, dict) else None
    return str(found)[:160] if found else "no reason given"
