"""The outbound client against a real TLS server on loopback: names, certificates, limits, and what it never follows."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from incidentio.aws import outbound
from incidentio.core.errors import Forbidden, InvalidInput, TooLarge, Unavailable
from incidentio.core.outbound import destinations
from incidentio.mitigate.actions import Place, compare_and_set, prepared

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")
NAME = "flags.shop.example"
PLACE = Place(partition="aws", account="111122223333", region="eu-west-1")


@dataclass
class Server:
    """Answers as `answer` says; `seen` are the requests."""

    port: int
    ca: str
    answer: Callable[[BaseHTTPRequestHandler], None]
    seen: list[dict[str, Any]] = field(default_factory=list)

    def url(self, path: str = "/", name: str = NAME) -> str:
        return f"https://{name}:{self.port}{path}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{NAME}",
            "-keyout", str(key), "-out", str(pem),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, pem


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[Server]:
    key, pem = certificate

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            found = {"method": self.command, "path": self.path, "headers": dict(self.headers)}
            running.seen.append({**found, "body": self.rfile.read(length).decode()})
            with suppress(OSError):
                running.answer(self)

        do_POST = do_PATCH = do_GET  # noqa: N815

        def log_message(self, *_arguments: Any) -> None:
            return

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=True)
    listening.handle_error = lambda *_arguments: None  # type: ignore[method-assign]
    listening.daemon_threads = True
    listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    running = Server(listening.server_port, pem.read_text(), says(200, "fine"))
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield running
    listening.shutdown()
    listening.server_close()
    thread.join()


def says(status: int, body: str = "", **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The answers to come, one for each question; the last one stays."""
    answers = [["127.0.0.1"]]
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *arguments: Any, **more: Any) -> Any:
        if not str(host).endswith(".example"):
            return real(host, port, *arguments, **more)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return answers


def call(server: Server, url: str = "", *, networks: str = "=127.0.0.0/8", **given: Any) -> dict[str, Any]:
    listed = destinations(f"{NAME}:{server.port}{networks},other.shop.example:{server.port}{networks}")
    return outbound.request(**{"method": "GET", "url": url or server.url(), "listed": listed, "ca": server.ca, **given})


def test_it_calls_the_name_at_its_address(server: Server, resolver: Any) -> None:
    answer = call(server, server.url("/a?b=c"), method="POST", body='{"x": 1}', headers={"Authorization": "Bearer s"})
    assert answer == {"status": 200, "body": "fine"}
    (seen,) = server.seen
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/a?b=c", '{"x": 1}')
    assert seen["headers"]["Host"] == f"{NAME}:{server.port}"
    assert seen["headers"]["Authorization"] == "Bearer s"


def test_a_certificate_of_another_name_is_refused(server: Server, resolver: Any) -> None:
    with pytest.raises(Forbidden, match="certificate is not to be trusted"):
        call(server, server.url(name="other.shop.example"))
    assert not server.seen


def test_a_certificate_nobody_vouches_for_is_refused(server: Server, resolver: Any) -> None:
    with pytest.raises(Forbidden, match="certificate is not to be trusted"):
        call(server, ca=None)
    assert not server.seen


@pytest.mark.parametrize("ca", ["no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "é"])
def test_an_authority_that_is_no_certificate_is_told(server: Server, resolver: Any, ca: str) -> None:
    with pytest.raises(InvalidInput, match="must be one in PEM"):
        call(server, ca=ca)
    assert not server.seen


def test_a_name_that_moves_inside_is_not_followed_there(server: Server, resolver: list[list[str]]) -> None:
    """Loopback is refused unless it is listed; and a name is resolved once, so it cannot move after that."""
    with pytest.raises(Forbidden, match=r"resolves to 127\.0\.0\.1, which is not on the internet"):
        call(server, networks="")
    resolver[:] = [["127.0.0.1"], ["169.254.169.254"]]
    assert call(server)["status"] == 200
    with pytest.raises(Forbidden, match="metadata"):
        call(server)
    resolver[:] = [["127.0.0.1", "169.254.169.254"]]
    with pytest.raises(Forbidden, match="metadata"):
        call(server)
    assert len(server.seen) == 1


def test_a_redirect_is_an_answer_like_others(server: Server, resolver: Any) -> None:
    server.answer = says(302, Location=server.url("/elsewhere"))
    assert call(server)["status"] == 302
    assert [seen["path"] for seen in server.seen] == ["/"]


def test_no_proxy_of_the_environment_is_asked(server: Server, resolver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert call(server)["status"] == 200


def test_an_answer_without_end_is_cut(server: Server, resolver: Any) -> None:
    server.answer = says(200, "x" * (outbound.LARGEST_ANSWER + 1))
    with pytest.raises(TooLarge, match="more than 262144 bytes"):
        call(server)


@pytest.mark.parametrize("declared", [{"Content-Length": "100000"}, {}], ids=["with a length", "until it closes"])
def test_a_byte_now_and_then_does_not_keep_it(server: Server, resolver: Any, declared: dict[str, str]) -> None:
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in declared.items():
            handler.send_header(name, value)
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b"x")

    server.answer = drip
    try:
        with pytest.raises(Unavailable, match=r"no answer within 0\.5 s"):
            call(server, seconds=0.5)
    finally:
        over.set()


def test_who_does_not_speak_tls_does_not_keep_it_either(server: Server, resolver: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable, match=r"no answer within 0\.3 s|TimeoutError"):
            outbound.request(
                method="GET",
                url=f"https://{NAME}:{port}/",
                listed=destinations(f"{NAME}:{port}=127.0.0.0/8"),
                seconds=0.3,
            )


def test_a_resolver_that_does_not_answer_does_not_keep_it_either(
    server: Server, resolver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, resolve = threading.Event(), socket.getaddrinfo

    def late(*arguments: Any, **more: Any) -> Any:
        over.wait(10)
        return resolve(*arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", late)
    try:
        with pytest.raises(Unavailable, match=rf"GET https://{NAME}: no answer within 0\.2 s"):
            call(server, seconds=0.2)
    finally:
        over.set()
    assert not server.seen


def test_one_deadline_is_for_all_of_it(server: Server, resolver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name takes 4 seconds and the connection 3: of ten, 6 are left to connect, and 3 for all the rest."""
    now, given = [0.0], []
    resolve, connect, timer = socket.getaddrinfo, socket.create_connection, outbound.Timer

    def resolved(*arguments: Any, **more: Any) -> Any:
        now[0] += 4 if arguments[0] == NAME else 0
        return resolve(*arguments, **more)

    def connected(*arguments: Any, timeout: float) -> Any:
        given.append(timeout)
        now[0] += 3
        return connect(*arguments, timeout=timeout)

    def timed(seconds: float, ends: Any) -> Any:
        given.append(seconds)
        return timer(seconds + 60, ends)  # the clock of this test stands still, a busy machine's does not

    monkeypatch.setattr(outbound, "monotonic", lambda: now[0])
    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket, "create_connection", connected)
    monkeypatch.setattr(outbound, "Timer", timed)
    assert call(server, seconds=10)["status"] == 200
    assert given == [6, 3]
    with pytest.raises(Unavailable, match="no answer within 4 s"):
        call(server, seconds=4)
    assert len(server.seen) == 1


def test_nobody_there_is_worth_another_try(server: Server, resolver: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match="ConnectionRefusedError"):
        outbound.request(method="GET", url=f"https://{NAME}:{port}/", listed=destinations(f"{NAME}:{port}=127.0.0.0/8"))


def test_a_header_that_would_be_two_is_refused_and_not_told(server: Server, resolver: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        call(server, headers={"Authorization": "secret\r\nHost: evil"})
    assert "secret" not in refused.value.message
    assert not server.seen


class Kept:
    """A service that keeps one JSON value, as `call-webhook` and the Kubernetes API of a node want it."""

    def __init__(self, server: Server, value: Any) -> None:
        self.server, self.value = server, value

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        seen = self.server.seen[-1]
        if seen["method"] == "POST":
            asked = json.loads(seen["body"])
            if asked["if"] != self.value["value"]:
                says(409)(handler)
                return
            self.value = {"value": asked["value"]}
        if seen["method"] == "PATCH":
            patch = json.loads(seen["body"])
            self.value = {"metadata": {"resourceVersion": "2"}, "spec": patch["spec"]}
        found = {"items": [{"metadata": {"name": "other"}}]} if "fieldSelector" in seen["path"] else self.value
        says(200, json.dumps(found))(handler)


def there_and_back(action: Any, call: Any) -> list[Any]:
    """What the action finds before it acts, after, and once it gave it back."""
    taken = compare_and_set.snapshot(action, call)["snapshot"]
    found = [action.read(call)]
    assert compare_and_set.apply(action, call, taken)["applied"]
    assert compare_and_set.verify(action, call, taken)["verified"]
    found.append(action.read(call))
    assert compare_and_set.rollback(action, call, taken)["result"] == "restored"
    return [*found, action.read(call)]


def test_a_webhook_is_set_and_given_back_by_real_https(server: Server, resolver: Any) -> None:
    server.answer = Kept(server, {"value": "on"})
    listed = destinations(f"{NAME}:{server.port}=127.0.0.0/8")

    def port(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if service == "secretsmanager":
            return {"SecretString": "s3cret\n"}
        return outbound.request(**parameters, listed=listed, ca=server.ca)

    target = f"Custom::Webhook|{PLACE.account}|{PLACE.region}|{NAME}:{server.port}/recommendations"
    action = prepared("call-webhook", {"value": "off", "secret": "flags"}, target, PLACE)
    assert there_and_back(action, port) == ["on", "off", "on"]
    assert {seen["path"] for seen in server.seen} == {"/recommendations"}
    assert {seen["headers"]["Authorization"] for seen in server.seen} == {"Bearer s3cret"}


def test_a_node_is_cordoned_and_given_back_by_real_https_with_the_clusters_own_authority(
    server: Server, resolver: Any
) -> None:
    server.answer = Kept(server, {"metadata": {"resourceVersion": "1"}, "spec": {}})
    cluster = {
        "endpoint": f"https://{NAME}:{server.port}",
        "certificateAuthority": {"data": b64encode(server.ca.encode()).decode()},
    }

    def port(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if service == "eks":
            return {"cluster": cluster}
        if operation == "eks_token":
            return {"token": f"token-for-{parameters['cluster']}"}
        return outbound.request(**parameters, listed=destinations(f"{NAME}:{server.port}=127.0.0.0/8"))

    target = f"Custom::KubernetesNode|{PLACE.account}|{PLACE.region}|shop/ip-10-0-1-7.internal"
    assert there_and_back(prepared("cordon-node", {}, target, PLACE), port) == [False, True, False]
    sent = [json.loads(seen["body"]) for seen in server.seen if seen["method"] == "PATCH"]
    assert sent == [
        {"metadata": {"resourceVersion": "1"}, "spec": {"unschedulable": True}},
        {"metadata": {"resourceVersion": "2"}, "spec": {"unschedulable": None}},
    ]
    assert {seen["headers"]["Authorization"] for seen in server.seen} == {"Bearer token-for-shop"}
