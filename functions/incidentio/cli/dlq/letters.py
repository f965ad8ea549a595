"""The dead letters of a deployment, held while somebody looks at them and handed back afterwards."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from incidentio.cli.doctor.queues import reason
from incidentio.core.redaction import redact, redact_data

QUEUES = {"ingest": "IngestDlqUrl", "outbox": "OutboxDlqUrl", "lane": "LaneDlqUrl", "communicate": "CommunicateDlqUrl"}
"""Name → stack output."""
MOST = 1000
"""Letters of one queue that are looked at; there may be more, and the next call sees those."""
_HELD_SECONDS = 120
_WAIT_SECONDS = 2
_BATCH = 10
_POLLS = 3 * MOST // _BATCH
_SHOWN = 16 * 1024


@dataclass(frozen=True)
class Letter:
    """One message as SQS gave it. `id` is SQS's, or as much of it as tells it from the others."""

    queue: str
    url: str
    message: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.message["MessageId"])

    @property
    def body(self) -> str:
        return str(self.message["Body"])

    @property
    def attributes(self) -> dict[str, str]:
        return {name: str(a.get("StringValue", "")) for name, a in self.message.get("MessageAttributes", {}).items()}

    @property
    def sent_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.message["Attributes"]["SentTimestamp"]) / 1000, UTC)

    @property
    def why(self) -> str:
        """Why it is here, redacted."""
        return redact(reason(self.message), limit=200)

    def shown(self) -> str:
        """The body as people may read it: redacted, indented where it is JSON, at most 16 KB."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return redact(self.body, limit=_SHOWN, multiline=True)
        return redact(json.dumps(redact_data(document), indent=2), limit=_SHOWN, multiline=True)


@contextmanager
def held(sqs: Any, outputs: Mapping[str, str], queues: Sequence[str]) -> Iterator[list[Letter]]:
    """Every letter of `queues`, oldest first; nobody else sees them inside the block, everybody does afterwards.

    What was deleted inside the block is gone. Dead, we give nothing back, and SQS does after two minutes.
    """
    with ThreadPoolExecutor(len(queues)) as pool:
        received = pool.map(lambda name: _received(sqs, name, outputs[QUEUES[name]]), queues)
        found = [letter for letters in received for letter in letters]
    found.sort(key=lambda letter: letter.sent_at)
    try:
        yield found
    finally:
        for url in {letter.url for letter in found}:
            _hand_back(sqs, url, [letter for letter in found if letter.url == url])


def _received(sqs: Any, name: str, url: str) -> list[Letter]:
    """Everything in a queue, each once: until a long poll finds nothing, MOST are held, or it was asked _POLLS times.

    A short poll asks some of SQS's servers only, and what it does not find may be there:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
    """
    found: dict[str, Mapping[str, Any]] = {}
    for _ in range(_POLLS):
        batch = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=_HELD_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        # Of one that comes twice the last handle is the one that counts.
        found |= {message["MessageId"]: message for message in batch}
        if not batch or len(found) >= MOST:
            break
    return [Letter(name, url, message) for message in found.values()]


def _hand_back(sqs: Any, url: str, letters: Sequence[Letter]) -> None:
    """Those that were deleted are not there any more, which SQS reports and nobody minds."""
    for start in range(0, len(letters), _BATCH):
        entries = [
            {"Id": str(n), "ReceiptHandle": letter.message["ReceiptHandle"], "VisibilityTimeout": 0}
            for n, letter in enumerate(letters[start : start + _BATCH])
        ]
        sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
