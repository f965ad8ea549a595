"""Is anything stuck? Whatever could not be processed waits in a dead letter queue."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from incidentio.cli.doctor.finding import Finding
from incidentio.cli.output import ago

# Name in the report, stack output, and the output of the queue they can go back to.
_DEAD_LETTERS = (
    ("ingest dead letters", "IngestDlqUrl", "IngestQueueUrl"),
    ("outbox dead letters", "OutboxDlqUrl", None),
    ("lane dead letters", "LaneDlqUrl", None),
    ("communicate dead letters", "CommunicateDlqUrl", "CommunicateQueueUrl"),
)


def check_dead_letters(sqs: Any, outputs: Mapping[str, str]) -> Iterator[Finding]:
    """Every dead letter queue is empty; otherwise how many, since when, and why the oldest seen is there."""
    for name, output, source in _DEAD_LETTERS:
        if url := outputs.get(output):
            yield _queue(sqs, name, url, outputs.get(source) if source else None)


def _queue(sqs: Any, name: str, url: str, source: str | None) -> Finding:
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    waiting = sum(int(count) for attribute, count in attributes.items() if attribute != "QueueArn")
    if not waiting:
        return Finding(name, "ok", "empty")
    return Finding(
        name,
        "fail",
        f"{waiting} waiting{_oldest(sqs, url)}",
        f"look: aws sqs receive-message --queue-url {url} --message-attribute-names All; "
        + _afterwards(url, str(attributes["QueueArn"]), source),
    )


def _afterwards(url: str, arn: str, source: str | None) -> str:
    """SQS moves messages back only where they came from a queue.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    """
    if source is None:
        return f"when you have seen to them: aws sqs purge-queue --queue-url {url}"
    back = f"{arn.rpartition(':')[0]}:{source.rpartition('/')[2]}"
    return f"send again: aws sqs start-message-move-task --source-arn {arn} --destination-arn {back}"


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
