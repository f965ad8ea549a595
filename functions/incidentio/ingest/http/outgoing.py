"""What goes into the queue: redacted and bounded, so that neither it nor its dead letters hold a sender's secrets."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from incidentio.core.errors import InvalidInput
from incidentio.core.ids import iso
from incidentio.core.integration import Integration
from incidentio.core.redaction import is_clean, redact, redact_data
from incidentio.core.severity import Severity, parse_severity
from incidentio.core.signal import Mode
from incidentio.ingest.contracts.received import ACKNOWLEDGED, RECEIVED
from incidentio.ingest.contracts.signal_v1 import MARK, read_signal
from incidentio.ingest.observation import not_of_the_future

_KEY_LIMIT = 256
_TAGS = 50
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Taken:
    """What a contract made of a request: `messages` for the queue, and the body of the 202 once they are in it.

    `left_out`: how many more there were, as the sender says, which it did not send.
    """

    messages: list[str]
    answer: Mapping[str, Any]
    left_out: int = 0


def scoped(integration: str, key: str) -> str:
    """The dedup key of what `integration` calls `key`: no integration reaches what another one, or an alarm, opened.

    A key that is too long, or not plain enough to be shown, goes in as its hash.
    """
    whole = f"integration/{integration}/{key}"
    plain = whole.isascii() and whole.isprintable() and " " not in whole and len(whole) <= _KEY_LIMIT
    if plain and is_clean(whole):
        return whole
    return f"integration/{integration}/sha256:{sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def signal_message(integration: Integration, document: Mapping[str, Any], *, key: str, now: datetime) -> str:
    """The message for a signal/v1 `document`, which need not name its form, under the sender's dedup `key`.

    What it leaves out is the integration's default. So is a service or environment that holds what would be redacted.

    Raises:
        Unreadable: ingest would not take it.
    """
    signal = {
        **document,
        "incidentio": MARK,
        "dedup_key": scoped(integration.name, key),
        "title": redact(document["title"], limit=500) or "untitled",
        "reason": redact(document.get("reason", ""), limit=4096),
        "tags": tags(document.get("tags", {})),
    }
    if integration.mode is Mode.MONITOR:
        signal["tags"].pop("incidentio:page", None)  # what is only watched may not make itself live
    for name in ("service", "environment"):
        if isinstance(text := signal.get(name), str) and not is_clean(text):
            del signal[name]
    for name in ("service", "environment", "severity"):
        if signal.get(name) is None:
            default = getattr(integration, name)
            signal |= {name: str(default)} if default else {}
    not_of_the_future(read_signal(signal), now)
    return json.dumps(
        {"incidentio": RECEIVED, "integration": integration.name, "mode": integration.mode.value, "signal": signal}
    )


def acknowledgement_message(integration: Integration, key: str, at: datetime) -> str:
    """The message for an acknowledgement of what the sender calls `key`."""
    dedup_key = scoped(integration.name, key)
    document = {"incidentio": ACKNOWLEDGED, "integration": integration.name, "dedup_key": dedup_key, "at": iso(at)}
    return json.dumps(document)


def tags(given: Mapping[str, Any]) -> dict[str, str]:
    """The first fifty, as short redacted texts; empty ones are left out."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items() if value}
    redacted = redact_data(dict(list(texts.items())[:_TAGS]), limit=256)
    return {name: text for name, text in redacted.items() if text}


def label(*candidates: Any) -> str | None:
    """The first that can be the name of a service or environment, and holds nothing that would be redacted."""
    names = (text for text in candidates if isinstance(text, str) and _LABEL.fullmatch(text))
    return next((name for name in names if is_clean(name)), None)


def severity(text: Any) -> Severity | None:
    """What a sender calls it, if that is a word we know."""
    try:
        return parse_severity(text) if isinstance(text, str) else None
    except InvalidInput:
        return None


def moment(text: Any) -> datetime | None:
    """A sender's time, UTC where it names no offset; None when it is none, or a year in which nothing fires."""
    try:
        at = datetime.fromisoformat(text)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return at if at.year >= 2000 else None
