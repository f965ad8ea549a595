"""What senders call the states of what they watch."""

from typing import Any

from incidentio.core.signal import SignalState

_WORDS = {
    **dict.fromkeys(("firing", "alarm", "alerting", "trigger", "triggered", "problem"), SignalState.FIRING),
    **dict.fromkeys(("ok", "resolved", "resolve", "recovered", "normal", "closed"), SignalState.OK),
    **dict.fromkeys(("note", "insufficient_data", "nodata", "no_data"), SignalState.NOTE),
}


def state_called(word: Any) -> SignalState | None:
    """None for what is no such word."""
    return _WORDS.get(word.strip().lower()) if isinstance(word, str) else None
