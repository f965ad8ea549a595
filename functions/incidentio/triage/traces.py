"""Correlation and trace ids that stand in a signal's text, so that people can go from an incident to one request."""

import re
from collections.abc import Iterable

LISTED = 3
_XRAY = re.compile(r"\b1-[0-9a-f]{8}-[0-9a-f]{24}\b")
_TRACEPARENT = re.compile(r"\b00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\b")
_REQUEST = re.compile(
    r"(?i)\b(?:request[-_ ]?id|correlation[-_ ]?id|x-amzn-requestid|x-request-id)[\"']?\s*[:=]?\s*[\"']?"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[\w.:+/=-]{8,64})"
)


def traces_in(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`xray_trace_id`, `traceparent` and `request_id`, each with at most three values in order of appearance.

    A W3C trace id (https://www.w3.org/TR/trace-context/) is an X-Ray one as well, written with its two hyphens.
    """
    found: dict[str, dict[str, None]] = {"xray_trace_id": {}, "traceparent": {}, "request_id": {}}
    for text in texts:
        found["xray_trace_id"].update(dict.fromkeys(_XRAY.findall(text)))
        for match in _TRACEPARENT.finditer(text):
            found["traceparent"][match[0]] = None
            found["xray_trace_id"][f"1-{match[1][:8]}-{match[1][8:]}"] = None
        found["request_id"].update(dict.fromkeys(m for m in _REQUEST.findall(text) if any(c.isdigit() for c in m)))
    return {kind: tuple(ids)[:LISTED] for kind, ids in found.items() if ids}
