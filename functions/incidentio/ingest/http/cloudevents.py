"""CloudEvents 1.0 → signal/v1, in the structured, batched and binary content modes.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
Data that is a signal/v1 is that signal. Of any other data the fields that a signal has are taken, where their names
and values fit, and the event's own attributes stand in for the rest: see `_mapped`.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from incidentio.core.ids import iso
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.signal_v1 import MARK
from incidentio.ingest.contracts.states import state_called
from incidentio.ingest.http.outgoing import label, moment, severity
from incidentio.ingest.http.refusal import malformed
from incidentio.ingest.http.request import Request, parsed

BATCH = "application/cloudevents-batch+json"
CONTENT_TYPES = ("application/cloudevents+json", BATCH)
_REQUIRED = ("id", "source", "type")
_OVER = ("ok", "resolved", "recovered", "closed")
_STATE_WORD = re.compile(
    r"\.(?:ok|resolved|recovered|closed|failed|failing|fired|firing|triggered|raised|opened|alarm|alert|error|degraded)$",
    re.IGNORECASE,
)
"""At the end of a type it says the state, which is no part of what belongs together."""
_QUOTED = re.compile(r'"(.*)"', re.DOTALL)


def is_binary(request: Request) -> bool:
    """Whether the event's attributes are in `ce-` headers; a structured event may have a copy of them there."""
    return "ce-specversion" in request.headers and request.content_type not in CONTENT_TYPES


def binary(request: Request, now: datetime) -> tuple[Mapping[str, Any], bool]:
    """The signal, and whether it was mapped.

    Raises: Refusal: an attribute is missing, or data that says it is JSON is none.
    """
    given = {name[3:]: _unescaped(value) for name, value in request.headers.items() if name.startswith("ce-")}
    is_json = request.content_type.endswith("json") or not request.content_type
    data = parsed(request.body) if request.body and is_json else request.body.decode(errors="replace")
    return _signal(given, data, now)


def _unescaped(value: str) -> str:
    """A header's value: in quotes or not, then percent-encoded."""
    quoted = _QUOTED.fullmatch(value)
    return unquote(re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value)


def structured(event: Mapping[str, Any], now: datetime) -> tuple[Mapping[str, Any], bool]:
    """The same of an event that is all JSON.

    Raises: Refusal: an attribute is missing, or `data_base64` is none.
    """
    data = event.get("data")
    if isinstance(encoded := event.get("data_base64"), str):
        try:
            decoded = b64decode(encoded, validate=True)
        except (Base64Error, ValueError):
            raise malformed("`data_base64` is not base64") from None
        kind = str(event.get("datacontenttype") or "json").partition(";")[0].strip().lower()
        data = parsed(decoded) if kind.endswith("json") else decoded.decode(errors="replace")
    return _signal(event, data, now)


def _signal(event: Mapping[str, Any], data: Any, now: datetime) -> tuple[Mapping[str, Any], bool]:
    if event.get("specversion") != "1.0":
        raise malformed("`specversion` must be 1.0")
    if missing := [name for name in _REQUIRED if not (isinstance(event.get(name), str) and event[name])]:
        raise malformed(f"CloudEvents attributes are missing: {', '.join(missing)}")
    if isinstance(data, dict) and data.get("incidentio") == MARK:
        return data, False
    return _mapped(event, data if isinstance(data, dict) else {"reason": data}, now), True


def _mapped(event: Mapping[str, Any], data: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
    subject = event.get("subject") if isinstance(event.get("subject"), str) else ""
    last_word = event["type"].rsplit(".", 1)[-1].lower()
    state = state_called(data.get("state")) or (SignalState.OK if last_word in _OVER else SignalState.FIRING)
    about = subject or _STATE_WORD.sub("", event["type"])
    return {
        "dedup_key": _text(data.get("dedup_key")) or f"{event['source']}#{about}",
        "state": state,
        "title": _text(data.get("title")) or subject or event["type"],
        "reason": _text(data.get("reason"), data.get("message"), data.get("description")),
        "changed_at": iso(moment(event.get("time")) or now),
        "severity": severity(data.get("severity")),
        "service": label(data.get("service")),
        "environment": label(data.get("environment")),
        "tags": {
            "ce_id": event["id"], "ce_source": event["source"], "ce_type": event["type"], "ce_subject": subject,
        },
    }  # fmt: skip


def _text(*candidates: Any) -> str:
    return next((text for text in candidates if isinstance(text, str) and text.strip()), "")
