"""Signatures of the Standard Webhooks form: HMAC-SHA256 over id, time and the bytes as they were sent.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
An id that comes twice is no reason to refuse: the sender may not have seen our answer, and what it carries is counted
once by dedup key and fence.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta

from incidentio.ingest.http.refusal import Refusal
from incidentio.ingest.http.request import Request

_TOLERANCE = timedelta(minutes=5)
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def require_signature(request: Request, secrets: Iterable[str], now: datetime) -> None:
    """Raises: Refusal: not signed with one of `secrets` (`whsec_…`) within five minutes of `now`."""
    given = [request.headers.get(name, "") for name in _HEADERS]
    if not all(given):
        raise Refusal(401, "not_signed", f"this integration signs what it sends: {', '.join(_HEADERS)} are needed")
    id, stamp, signatures = given
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise Refusal(401, "wrong_time", "webhook-timestamp must be seconds since 1970")
    if abs(now.timestamp() - int(stamp)) > _TOLERANCE.total_seconds():
        raise Refusal(401, "wrong_time", "webhook-timestamp is more than five minutes away from now")
    signed = f"{id}.{stamp}.".encode(errors="surrogatepass") + request.body
    expected = [_signature(secret, signed) for secret in secrets]
    found = [part.removeprefix("v1,").encode() for part in signatures.split() if part.startswith("v1,")]
    if not any([hmac.compare_digest(one, other) for one in expected for other in found]):  # noqa: C419 - look at each
        raise Refusal(401, "wrong_signature", "webhook-signature does not fit the body and the integration's secret")


def _signature(secret: str, signed: bytes) -> bytes:
    return b64encode(hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256"))
