"""An SQS queue we send to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from incidentio.aws.errors import translated
from incidentio.core.errors import Unavailable

BATCH = 10
BATCH_BYTES = 256 * 1024
"""Together. SQS takes 1 MiB; what is sent in smaller parts is received in smaller parts."""


class SqsQueue:
    """Implements the lanes' outgoing queues."""

    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> None:
        """Raises: Unavailable and its relatives when the queue did not take it."""
        given = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
        with translated("sending to a queue"):
            self._client.send_message(QueueUrl=self._url, MessageBody=body, MessageAttributes=given)

    def send_all(self, bodies: Sequence[str]) -> None:
        """Send in batches of ten, or fewer of large ones.

        Raises:
            Unavailable: some were not taken; sending all of them again is the caller's choice.
        """
        for batch in _batches(bodies):
            entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(batch)]
            with translated("sending to a queue"):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                codes = sorted({str(failed.get("Code")) for failed in answer["Failed"]})
                raise Unavailable(f"sending to a queue: {', '.join(codes)}")


def _batches(bodies: Sequence[str]) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
