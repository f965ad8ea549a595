"""The incident API over HTTP: signed, patient with what passes, and clear about what does not."""

import json
import random
import time
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests.auth import AuthBase

from incidentio.cli.errors import CallRefusedError, UnreachableError

_TIMEOUT = (5.0, 29.0)  # to connect, and API Gateway's own limit to answer
_ATTEMPTS = 4
_PASSING = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE = 8.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

Answer = dict[str, Any]


class Api(Protocol):
    """What commands need of the API, wherever it runs."""

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
        if_match: int | None = None,
    ) -> Answer:
        """Make one call; a write carries an `Idempotency-Key` of its own.

        Raises:
            CallRefusedError: the API said no.
            UnreachableError: it did not answer, after all tries.
        """


class _Signed(AuthBase):
    """Signature Version 4 for API Gateway.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    def __init__(self, credentials: Credentials, region: str) -> None:
        self._signer = SigV4Auth(credentials, "execute-api", region)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Only what no proxy changes is signed.
        kept = {name: value for name, value in request.headers.items() if name in ("Content-Type", "Idempotency-Key")}
        signed = AWSRequest(method=request.method, url=request.url, data=request.body, headers=kept)
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))
        return request


class HttpApi:
    """The API at `url`, called as the person behind `credentials`.

    A call that met a throttle, a server error or a broken connection is made again; a write does
    so with the same `Idempotency-Key`, so it happens once however often it was sent.
    """

    def __init__(
        self,
        url: str,
        *,
        credentials: Callable[[], Credentials],
        region: str,
        remedy: str = "",
        session: requests.Session | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._region = region
        self._remedy = remedy
        self._session = session or requests.Session()
        if urlsplit(url).hostname in _LOOPBACK:
            self._session.trust_env = False
        self._pause = pause

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
        if_match: int | None = None,
    ) -> Answer:
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
        if if_match is not None:
            headers["If-Match"] = str(if_match)
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        data = None if method == "GET" else json.dumps(body or {})
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                answer = self._session.request(
                    method,
                    self._url + path,
                    params=parameters,
                    data=data,
                    headers=headers,
                    auth=_Signed(self._credentials(), self._region),
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                )
            except (requests.ConnectionError, requests.Timeout) as error:
                if last:
                    raise UnreachableError(self._unreachable(error)) from error
            except requests.RequestException as error:
                raise UnreachableError(self._unreachable(error)) from error
            else:
                if answer.status_code not in _PASSING or last:
                    return read(answer.status_code, answer.text)
            self._pause(random.uniform(0.5, 1) * min(0.4 * 2**attempt, _LONGEST_PAUSE))  # noqa: S311 - jitter
        raise AssertionError("the last attempt returns or raises")

    def _unreachable(self, error: Exception) -> str:
        what = "did not answer in time" if isinstance(error, requests.Timeout) else "cannot be reached"
        return f"{self._url} {what}" + (f": {self._remedy}" if self._remedy else "")


def open_incidents(api: Api) -> list[str]:
    """The ids of all open incidents."""
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = api.call("GET", "/incidents", query={"status": "open", "limit": "100", "next": cursor})
        ids += [str(incident["id"]) for incident in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return ids


def read(status: int, text: str) -> Answer:
    """The body of an answer, or the error it stands for.

    Raises:
        CallRefusedError: the status is not 2xx.
        UnreachableError: it was not the API that answered.
    """
    try:
        document = json.loads(text) if text else {}
    except ValueError:
        document = None
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES and isinstance(document, dict):
        return document
    if not isinstance(document, dict):
        raise UnreachableError(f"HTTP {status} without a JSON answer: this is not the address of an incidentio API")
    raise refusal(status, document)


def refusal(status: int, document: Mapping[str, Any]) -> CallRefusedError:
    """The error of a refused call; API Gateway's own refusals have no `error`, only a `message`."""
    error = document.get("error")
    if isinstance(error, dict):
        details = error.get("details")
        return CallRefusedError(
            str(error.get("message", "refused")),
            status=status,
            error_code=str(error.get("code", "error")),
            details=details if isinstance(details, dict) else {},
        )
    said = document.get("message") or document.get("Message") or "refused"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        said = f"{said} (your identity needs execute-api:Invoke on this API)"
    return CallRefusedError(f"HTTP {status}: {said}", status=status, error_code="http_error")
