import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from botocore.credentials import Credentials

from incidentio.cli.client import HttpApi
from incidentio.cli.errors import CallRefusedError, UnreachableError

URL = "https://abc123.execute-api.eu-west-1.amazonaws.com/v1"


class Wire(requests.adapters.BaseAdapter):
    """Answers prepared requests from a list instead of a network."""

    def __init__(self, *answers: tuple[int, Any] | Exception) -> None:
        super().__init__()
        self.sent: list[requests.PreparedRequest] = []
        self._answers = list(answers)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.sent.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        response = requests.Response()
        response.status_code, body = answer
        response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
        response.request, response.url = request, str(request.url)
        return response

    def close(self) -> None:
        """Nothing is open."""


def connected(wire: Wire, url: str = URL, pauses: Callable[[float], None] = lambda _: None) -> HttpApi:
    session = requests.Session()
    session.mount("https://", wire)
    session.mount("http://", wire)
    return HttpApi(
        url,
        credentials=lambda: Credentials("AKID", "secret", "token"),
        region="eu-west-1",
        remedy="look at it",
        session=session,
        pause=pauses,
    )


def test_a_call_is_signed_for_execute_api() -> None:
    wire = Wire((200, {"items": [], "next": None}))
    connected(wire).call("GET", "/incidents", query={"status": "open", "next": None})
    (sent,) = wire.sent
    assert sent.url == f"{URL}/incidents?status=open"
    assert "/eu-west-1/execute-api/aws4_request" in sent.headers["Authorization"]
    assert sent.headers["X-Amz-Security-Token"] == "token"
    assert "Idempotency-Key" not in sent.headers


def test_a_write_keeps_its_key_through_retries() -> None:
    wire = Wire((503, {"message": "busy"}), requests.ConnectionError("reset"), (429, {}), (200, {"id": "INC-7K3F9A"}))
    waited: list[float] = []
    answer = connected(wire, pauses=waited.append).call("POST", "/incidents", body={"title": "x"}, if_match=4)
    assert answer == {"id": "INC-7K3F9A"}
    assert len({sent.headers["Idempotency-Key"] for sent in wire.sent}) == 1
    assert {sent.headers["If-Match"] for sent in wire.sent} == {"4"}
    assert len(waited) == 3
    assert all(0 < seconds <= 8 for seconds in waited)


def test_two_writes_have_two_keys() -> None:
    wire = Wire((200, {}), (200, {}))
    api = connected(wire)
    api.call("POST", "/incidents")
    api.call("POST", "/incidents")
    assert len({sent.headers["Idempotency-Key"] for sent in wire.sent}) == 2


@pytest.mark.parametrize("status", [400, 404, 409, 410])
def test_what_will_not_pass_is_not_tried_again(status: int) -> None:
    body = {"error": {"code": "conflict", "message": "it is closed", "details": {"version": 7, "status": "closed"}}}
    wire = Wire((status, body))
    with pytest.raises(CallRefusedError, match="it is closed") as caught:
        connected(wire).call("POST", "/incidents/INC-7K3F9A/close")
    assert (caught.value.status, caught.value.error_code, caught.value.details) == (
        status,
        "conflict",
        body["error"]["details"],
    )


def test_api_gateways_own_refusal_says_which_right_is_missing() -> None:
    wire = Wire((403, {"message": "Missing Authentication Token"}))
    with pytest.raises(CallRefusedError, match="execute-api:Invoke"):
        connected(wire).call("GET", "/incidents")


def test_after_the_last_try_the_servers_error_is_told() -> None:
    wire = Wire(*[(503, {"error": {"code": "unavailable", "message": "the table is throttled", "details": {}}})] * 4)
    with pytest.raises(CallRefusedError, match="the table is throttled"):
        connected(wire).call("GET", "/incidents")


@pytest.mark.parametrize(
    ("error", "words"),
    [(requests.ConnectionError("no route"), "cannot be reached"), (requests.ReadTimeout(), "in time")],
)
def test_silence_names_the_address_and_a_remedy(error: Exception, words: str) -> None:
    with pytest.raises(UnreachableError, match=f"{URL}.*{words}.*look at it"):
        connected(Wire(*[error] * 4)).call("GET", "/incidents")


def test_a_page_that_is_no_api_is_told_apart() -> None:
    with pytest.raises(UnreachableError, match="not the address of an incidentio API"):
        connected(Wire((200, "<html>hello</html>"))).call("GET", "/incidents")


def test_loopback_is_never_sent_through_a_proxy() -> None:
    session = requests.Session()
    HttpApi("http://127.0.0.1:4566/x", credentials=lambda: Credentials("a", "b"), region="r", session=session)
    assert session.trust_env is False
