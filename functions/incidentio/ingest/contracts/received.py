"""What the HTTP door (`ingest/http`) puts into the queue: signals and acknowledgements of proved integrations.

`{"incidentio": "received/v1", "integration": …, "mode": …, "signal": {signal/v1}}` and
`{"incidentio": "ack/v1", "integration": …, "dedup_key": …, "at": …}`. Nothing that comes over a bus or a topic
can have this form: those bodies are the bus's or the topic's own envelope.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from incidentio.core.signal import Mode, Signal
from incidentio.ingest.contracts.signal_v1 import read_signal
from incidentio.ingest.observation import Acknowledgement, Observation, Unreadable, instant, object_field, text_field

RECEIVED = "received/v1"
ACKNOWLEDGED = "ack/v1"


def read_received(document: Mapping[str, Any]) -> Observation | Acknowledgement:
    """One message of the door.

    Raises:
        Unreadable: not of a form it writes.
    """
    name = text_field(document, "integration", limit=40)
    if document["incidentio"] == ACKNOWLEDGED:
        return Acknowledgement(text_field(document, "dedup_key"), name, instant(document.get("at")))
    if document["incidentio"] != RECEIVED:
        raise Unreadable(f"unknown form: expected {RECEIVED!r} or {ACKNOWLEDGED!r}")
    observation = read_signal(object_field(document, "signal"))
    mode = Mode.MONITOR if document.get("mode") == Mode.MONITOR else Mode.LIVE

    def build(received_at: datetime) -> Signal:
        why = f"integration {name} is in monitor mode" if mode is Mode.MONITOR else f"sent by integration {name}"
        told = {"source": f"integration/{name}", "mode": mode, "mode_reason": why}
        return observation.build(received_at).model_copy(update=told)

    return replace(observation, mode=mode, build=build)
