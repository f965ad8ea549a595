"""Our own contract over HTTP: `POST /signals` takes a signal/v1, a list of them, or CloudEvents."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from incidentio.core.integration import Integration
from incidentio.ingest.contracts.signal_v1 import read_signal
from incidentio.ingest.http import cloudevents
from incidentio.ingest.http.outgoing import Taken, scoped, signal_message
from incidentio.ingest.http.refusal import malformed
from incidentio.ingest.http.request import Request
from incidentio.ingest.observation import Unreadable

MAX_SIGNALS = 100


def take(request: Request, integration: Integration, now: datetime) -> Taken:
    """All signals of the request or none.

    Raises:
        Refusal: names the signals that are wrong, by their place, and what is wrong with them.
    """
    messages, keys, problems = [], [], []
    for number, (document, mapped) in enumerate(_documents(request, now)):
        try:
            if not mapped:
                read_signal(document)
            messages.append(signal_message(integration, document, key=document["dedup_key"], now=now))
            keys.append(scoped(integration.name, document["dedup_key"]))
        except Unreadable as unreadable:
            problems.append(f"{number}: {unreadable.message}")
    if problems:
        raise malformed(*problems[:10])
    return Taken(messages, {"status": "accepted", "accepted": len(messages), "dedup_keys": keys})


def _documents(request: Request, now: datetime) -> Iterable[tuple[Mapping[str, Any], bool]]:
    """Each signal, and whether it is ours to answer for: mapped from an event, not written by the sender."""
    if cloudevents.is_binary(request):
        return [cloudevents.binary(request, now)]
    body = request.document
    items = body if isinstance(body, list) else [body]
    if not items and request.content_type == cloudevents.BATCH:
        return []  # which the format allows
    if not 0 < len(items) <= MAX_SIGNALS:
        raise malformed(f"the body is a list of {len(items)}: send 1 to {MAX_SIGNALS} signals")
    if not all(isinstance(item, dict) for item in items):
        raise malformed("the body is neither a signal nor a list of signals")
    if request.content_type in cloudevents.CONTENT_TYPES:
        return [cloudevents.structured(item, now) for item in items]
    return [(item, False) for item in items]
