"""Giving a dead letter up: on the record first, then deleted."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from incidentio.cli.dlq.letters import Letter
from incidentio.core.ids import iso
from incidentio.core.ports import Key, Put, Record, Records
from incidentio.core.redaction import redact

DISCARDED = "DISCARDED"
_KEPT = timedelta(days=400)


def discard(letter: Letter, sqs: Any, records: Records, *, by: str, reason: str, now: datetime) -> None:
    """Write who gave it up and why, with its redacted text, then delete it. Raises what either of them does."""
    body = {
        "at": iso(now),
        "by": by,
        "reason": redact(reason, limit=500),
        "queue": letter.queue,
        "message_id": letter.id,
        "sent_at": iso(letter.sent_at),
        "dead_because": letter.why,
        "text": redact(letter.shown(), limit=4096, multiline=True),
    }
    records.write(Put(Record(Key(DISCARDED, f"{iso(now)}#{letter.id}"), body, now + _KEPT)))
    sqs.delete_message(QueueUrl=letter.url, ReceiptHandle=letter.message["ReceiptHandle"])


def discarded(records: Records, *, limit: int) -> Iterable[dict[str, Any]]:
    """What was given up, newest first."""
    return [dict(body) for _, body in records.query(DISCARDED, newest_first=True, limit=limit)]
