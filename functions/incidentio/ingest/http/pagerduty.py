"""PagerDuty's Events API v2, as a sender sees it: `POST /v2/enqueue`.

https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
The order of trigger and resolve is that of their arrival here: only a trigger names a time, by the sender's
clock, and a resolve that looked older would be late for ever.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from incidentio.core.ids import iso
from incidentio.core.integration import Integration
from incidentio.core.redaction import redact_data
from incidentio.core.signal import SignalState
from incidentio.ingest.http.outgoing import (
    Taken,
    acknowledgement_message,
    moment,
    severity,
    signal_message,
)
from incidentio.ingest.http.refusal import Refusal, malformed
from incidentio.ingest.http.request import Request

_SEVERITIES = ("critical", "error", "warning", "info")
_ACTIONS = ("trigger", "acknowledge", "resolve")
_KEY_LENGTH = 255
_MAX_BODY = 512 * 1024


def take(request: Request, integration: Integration, now: datetime) -> Taken:
    """One event.

    Raises:
        Refusal: names each wrong field.
    """
    if len(request.body) > _MAX_BODY:
        raise Refusal(413, "too_large", f"the event has {len(request.body)} bytes: at most {_MAX_BODY} are taken")
    event = request.document
    if problems := list(_problems(event)):
        raise malformed(*problems)
    key = event.get("dedup_key") or uuid4().hex
    if event["event_action"] == "acknowledge":
        message = acknowledgement_message(integration, key, now)
    else:
        document = _fired(event, now) if event["event_action"] == "trigger" else _resolved(event, now)
        message = signal_message(integration, document, key=key, now=now)
    return Taken([message], {"status": "success", "message": "Event processed", "dedup_key": key})


def refused(refusal: Refusal) -> tuple[int, Mapping[str, Any]]:
    """As its senders expect it: whatever is wrong with an event, its key included, is a 400."""
    if refusal.status >= 500:
        body = {"status": "unavailable", "message": "Send the event again", "errors": list(refusal.problems)}
        return refusal.status, body
    body = {"status": "invalid event", "message": "Event object is invalid", "errors": list(refusal.problems)}
    return (400 if refusal.status in (401, 403) else refusal.status), body


def _problems(event: Any) -> list[str]:
    if not isinstance(event, dict):
        return ["the event is not a JSON object"]
    found = []
    action, key = event.get("event_action"), event.get("dedup_key")
    if action not in _ACTIONS:
        found.append(f"'event_action' must be one of {', '.join(_ACTIONS)}")
    if key is not None and not (isinstance(key, str) and len(key) <= _KEY_LENGTH):
        found.append(f"'dedup_key' must be a text of at most {_KEY_LENGTH} characters")
    if not key and action in ("acknowledge", "resolve"):
        found.append(f"'dedup_key' is needed to {action}")
    if action == "trigger":
        found += _payload_problems(event.get("payload"))
    return found


def _payload_problems(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing or not an object"]
    found = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source")
        if not (isinstance(payload.get(name), str) and payload[name].strip())
    ]
    if payload.get("severity") not in _SEVERITIES:
        found.append(f"'payload.severity' must be one of {', '.join(_SEVERITIES)}")
    return found


def _resolved(event: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {"state": SignalState.OK, "title": f"{event['dedup_key']}", "changed_at": iso(now)}


def _fired(event: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    payload = event["payload"]
    began = moment(payload.get("timestamp"))
    return {
        "state": SignalState.FIRING,
        "title": payload["summary"],
        "reason": _details(payload.get("custom_details")),
        "severity": severity(payload["severity"]),
        "changed_at": iso(now),
        "impact_started_at": iso(min(began, now)) if began else None,
        "tags": {
            **{name: payload.get(name) for name in ("source", "component", "group", "class")},
            **{name: event.get(name) for name in ("client", "client_url")},
            **_numbered("link", event.get("links"), "href"),
            **_numbered("image", event.get("images"), "src"),
        },
    }


def _details(details: Any) -> str:
    if isinstance(details, dict):
        told = redact_data(details).items()
        return "; ".join(f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in told)
    return details if isinstance(details, str) else ""


def _numbered(name: str, items: Any, attribute: str) -> dict[str, Any]:
    found = [item.get(attribute) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {f"{name}_{number}": value for number, value in enumerate(found[:5], start=1)}
