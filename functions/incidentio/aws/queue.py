"""An SQS queue we send to."""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentio.aws.errors import translated
from incidentio.core.errors import Unavailable

BATCH = 10


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
        """Send in batches of ten.

        Raises:
            Unavailable: some were not taken; sending all of them again is the caller's choice.
        """
        for start in range(0, len(bodies), BATCH):
            entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(bodies[start : start + BATCH])]
            with translated("sending to a queue"):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            if answer.get("Failed"):
                codes = sorted({str(failed.get("Code")) for failed in answer["Failed"]})
                raise Unavailable(f"sending to a queue: {', '.join(codes)}")
