"""Who sends: the key a request carries, and whether it is one of an integration that may use this route."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from incidentio.core.integration import PATHS, Integration, Integrations, name_in
from incidentio.ingest.http.refusal import Refusal
from incidentio.ingest.http.request import Request

_SCHEME = re.compile(r"(?i)(bearer|basic)\s+(\S+)\s*")


def sender(request: Request, integrations: Integrations) -> Integration:
    """The integration whose key the request carries.

    Raises:
        Refusal: no key, one that is not alive, or one for another route.
        Unavailable: the integrations cannot be read.
    """
    key = key_in(request)
    if not key:
        where = "'routing_key'" if request.route == PATHS["pagerduty"] else "`Authorization: Bearer KEY`"
        raise Refusal(401, "no_key", f"there is no integration key: send it as {where}")
    name = name_in(key)
    integration = integrations.find(name) if name else None
    if integration is None or not integration.holds(key):
        raise Refusal(401, "unknown_key", "the integration key is not known, or was rotated or revoked")
    if PATHS[integration.kind] != request.route:
        problem = f"this key is of kind {integration.kind}: send to {PATHS[integration.kind]}"
        raise Refusal(403, "other_route", problem)
    return integration


def key_in(request: Request) -> str:
    """The key: of a PagerDuty event its `routing_key`; else a header, or the password of basic authentication;
    else `?key=`. Empty when there is none."""
    return _routing_key(request) or _header(request) or request.query.get("key", "")


def _routing_key(request: Request) -> str:
    if request.route != PATHS["pagerduty"]:
        return ""
    event: Any = request.document
    key = event.get("routing_key") if isinstance(event, dict) else None
    return key if isinstance(key, str) else ""


def _header(request: Request) -> str:
    found = _SCHEME.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return request.headers.get("x-api-key", "").strip()
    if found[1].lower() == "bearer":
        return found[2]
    try:
        return b64decode(found[2], validate=True).decode().partition(":")[2]
    except (Base64Error, ValueError):
        return ""
