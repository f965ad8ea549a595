"""One HTTP request as API Gateway hands it over (REST, Lambda proxy integration).

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from incidentio.ingest.http.refusal import Refusal, malformed

MAX_BODY = 4 * 1024 * 1024
"""Bytes. Lambda takes 6 MB an invocation, in which a body is escaped."""


@dataclass(frozen=True)
class Request:
    """`route` is the path without stage, `headers` have names in lower case, `body` is what was sent, byte for byte."""

    route: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    id: str = "unknown"

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def document(self) -> Any:
        """The body as JSON.

        Raises:
            Refusal: it is too large or no JSON.
        """
        return parsed(self.body)


def request_of(event: Mapping[str, Any]) -> Request:
    """The request in an API Gateway event.

    Raises:
        Refusal: the body is not what the event says it is.
    """
    text = event.get("body") or ""
    try:
        body = b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (Base64Error, UnicodeEncodeError, ValueError):
        raise malformed("the body is not UTF-8 text") from None
    return Request(
        route=str(event.get("resource") or event.get("path") or ""),
        headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
        query={str(name): str(value) for name, value in (event.get("queryStringParameters") or {}).items()},
        body=body,
        id=str((event.get("requestContext") or {}).get("requestId") or "unknown"),
    )


def parsed(body: bytes) -> Any:
    """`body` as JSON.

    Raises:
        Refusal: it is too large or no JSON.
    """
    if len(body) > MAX_BODY:
        raise Refusal(413, "too_large", f"the body has {len(body)} bytes: at most {MAX_BODY} are taken")
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise malformed("the body is nested too deeply") from None
    except ValueError as error:  # not UTF-8, NaN, a number of thousands of digits
        raise malformed(f"the body is not JSON: {type(error).__name__}") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)
