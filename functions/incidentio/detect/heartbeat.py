"""Sends the heartbeat into the ingest queue, where every signal starts."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from incidentio.core.heartbeat import beat

_EARLY = 0.1
"""A sweep comes every minute, give or take a second: what is due a little later than this one is sent with it."""


class Queue(Protocol):
    """The ingest queue."""

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> None:
        """Raises: when it was not taken."""


def is_due(sent_at: str | None, every: timedelta, now: datetime) -> bool:
    return sent_at is None or datetime.fromisoformat(sent_at) + every * (1 - _EARLY) <= now


def send_beat(queue: Queue, now: datetime) -> None:
    """Raises: Unavailable and its relatives when the queue did not take it."""
    queue.send(json.dumps(beat(now)))
