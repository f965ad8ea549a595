"""Alertmanager's webhook, version 4, and Grafana's, which says 1 and holds the same: `POST /webhooks/alertmanager`.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
Each alert is one signal. Its state changed when its notification came in: Prometheus, back after an outage in which
Alertmanager let the alert expire, sends it again with the `startsAt` from before, and by that it would be late.
`startsAt` is when the impact began.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from incidentio.core.ids import iso
from incidentio.core.integration import Integration
from incidentio.core.signal import SignalState
from incidentio.ingest.http.outgoing import Taken, label, moment, severity, signal_message
from incidentio.ingest.http.refusal import malformed
from incidentio.ingest.http.request import Request

_VERSIONS = ("4", "1")
_STATES = {"firing": SignalState.FIRING, "resolved": SignalState.OK}


def take(request: Request, integration: Integration, now: datetime) -> Taken:
    """One notification, all its alerts or none.

    Raises:
        Refusal: it is of no version that we read, or an alert has no status or labels.
        Unreadable: ingest would not take an alert.
    """
    body = request.document
    if not isinstance(body, dict) or body.get("version") not in _VERSIONS:
        raise malformed(
            'the body is no notification that we read: `version` must be "4" (Alertmanager) or "1" (Grafana)'
        )
    alerts = body.get("alerts")
    if not isinstance(alerts, list) or not all(isinstance(alert, dict) for alert in alerts):
        raise malformed("the body is no notification: `alerts` must be a list of objects")
    messages = [_message(integration, alert, number, now) for number, alert in enumerate(alerts)]
    cut = body.get("truncatedAlerts")
    return Taken(messages, {"status": "accepted", "accepted": len(messages)}, cut if isinstance(cut, int) else 0)


def _message(integration: Integration, alert: Mapping[str, Any], number: int, now: datetime) -> str:
    state, labels = _STATES.get(str(alert.get("status"))), alert.get("labels")
    if state is None or not isinstance(labels, dict):
        raise malformed(f"alerts.{number}: `status` must be firing or resolved, and `labels` an object")
    written = alert.get("annotations")
    notes: Mapping[str, Any] = written if isinstance(written, dict) else {}
    began = moment(alert.get("startsAt"))
    document = {
        "state": state,
        "title": _text(notes.get("summary"), labels.get("alertname"), "alert"),
        "reason": _text(notes.get("description"), notes.get("message"), ""),
        "severity": severity(labels.get("severity")),
        "service": label(labels.get("service")),
        "environment": label(labels.get("environment"), labels.get("env")),
        "changed_at": iso(now),
        "impact_started_at": iso(min(began, now)) if began else None,
        "tags": {
            "generator_url": alert.get("generatorURL"),
            "runbook_url": notes.get("runbook_url"),
            **labels,
        },
    }
    return signal_message(integration, document, key=_key(alert, labels), now=now)


def _key(alert: Mapping[str, Any], labels: Mapping[str, Any]) -> str:
    """The fingerprint of the alert's labels, as Alertmanager computes it; else ours of the same."""
    fingerprint = alert.get("fingerprint")
    if isinstance(fingerprint, str) and fingerprint:
        return fingerprint
    return sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:32]


def _text(*candidates: Any) -> str:
    return next((text for text in candidates if isinstance(text, str) and text.strip()), "")
