"""Is anything stuck? Whatever could not be processed waits in a dead letter queue."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from incidentio.cli.doctor.finding import Finding
from incidentio.cli.output import ago

_DEAD_LETTERS = {
    "ingest dead letters": "IngestDlqUrl",
    "outbox dead letters": "OutboxDlqUrl",
    "lane dead letters": "LaneDlqUrl",
    "communicate dead letters": "CommunicateDlqUrl",
}


def check_dead_letters(sqs: Any, outputs: Mapping[str, str]) -> Iterator[Finding]:
    """Every dead letter queue is empty; otherwise how many, since when, and why the oldest seen is there."""
    for name, output in _DEAD_LETTERS.items():
        if url := outputs.get(output):
            yield _queue(sqs, name, url)


def _queue(sqs: Any, name: str, url: str) -> Finding:
    attributes = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    waiting = sum(int(count) for count in attributes.values())
    if not waiting:
        return Finding(name, "ok", "empty")
    return Finding(
        name,
        "fail",
        f"{waiting} waiting{_oldest(sqs, url)}",
        f"look: aws sqs receive-message --queue-url {url} --message-attribute-names All; "
        f"send again: aws sqs start-message-move-task --source-arn of this queue",
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
