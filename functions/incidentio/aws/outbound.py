"""The only way a playbook calls anything by HTTP but AWS: see `core.outbound` for where it may.

https with the name's own certificate, to the one address that was judged. No redirects, no proxies, no environment:
http.client knows none of them.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from threading import Event, Thread, Timer
from time import monotonic
from typing import Any

from incidentio.core.errors import Forbidden, InvalidInput, TooLarge, Unavailable
from incidentio.core.outbound import Destination, allowed, judged, taken_apart

SECONDS = 10.0
"""For all of it together: the name, the connection, TLS, the request, and its answer to the last byte."""
LARGEST_ANSWER = 256 * 1024
"""Bytes. A Kubernetes node is told in some 20 KB."""


def request(
    *,
    method: str,
    url: str,
    listed: Sequence[Destination],
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    ca: str | None = None,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Call once, and be done within `seconds`. `ca` is the PEM of the authority to trust, instead of the usual ones.

    Returns `{"status": 200, "body": "…"}`, whatever the status: a redirect is one like others.

    Raises:
        InvalidInput: not a URL that may be called, `ca` is no certificate, or a header that would break the request.
        Forbidden: a destination that is not listed, an address that may not be called, a certificate of another name.
        TooLarge: the answer.
        Unavailable: no answer in time; another try may help.
    """
    place = taken_apart(url)
    destination = allowed(place, listed)
    what = f"{method} https://{place.host}"
    deadline = _Deadline(seconds, what)
    address = judged(_resolved(place.host, place.port, deadline), destination)
    context = _trusting(ca)
    try:
        with (
            socket.create_connection((address, place.port), timeout=deadline.left()) as plain,
            _limited(plain, deadline),
            context.wrap_socket(plain, server_hostname=place.host) as secure,
        ):
            connection = http.client.HTTPSConnection(place.host, place.port, context=context)
            connection.auto_open = 0
            connection.sock = secure
            _send(connection, method, place.path, headers=headers or {}, body=body)
            return _answer(connection, what)
    except ssl.SSLCertVerificationError as error:
        raise Forbidden(f"{what}: the certificate is not to be trusted: {error.verify_message}") from None
    except TimeoutError:
        raise deadline.missed() from None
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"{what}: {type(error).__name__}") from None


class _Deadline:
    """`seconds` from now."""

    def __init__(self, seconds: float, what: str) -> None:
        self._seconds, self._what = seconds, what
        self._at = monotonic() + seconds

    def left(self) -> float:
        """Seconds, more than none.

        Raises:
            Unavailable: there are none.
        """
        if (seconds := self._at - monotonic()) <= 0:
            raise self.missed()
        return seconds

    def missed(self) -> Unavailable:
        return Unavailable(f"{self._what}: no answer within {self._seconds:g} s")


def _trusting(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=ca)
    except (ssl.SSLError, TypeError, ValueError):
        raise InvalidInput("the authority to trust is no certificate: it must be one in PEM") from None


def _send(
    connection: http.client.HTTPSConnection, method: str, path: str, *, headers: Mapping[str, str], body: str | None
) -> None:
    given = {"User-Agent": "incidentio", "Accept-Encoding": "identity", "Connection": "close", **headers}
    try:
        connection.request(method, path, body=None if body is None else body.encode(), headers=given)
    except ValueError:
        # Not the value: it may be a secret.
        raise InvalidInput("a header or the path holds what HTTP does not allow there") from None


def _answer(connection: http.client.HTTPSConnection, what: str) -> dict[str, Any]:
    answer = connection.getresponse()
    told = answer.read(LARGEST_ANSWER + 1)
    if len(told) > LARGEST_ANSWER:
        raise TooLarge(f"{what}: the answer has more than {LARGEST_ANSWER} bytes")
    return {"status": answer.status, "body": told.decode(errors="replace")}


def _resolved(host: str, port: int, deadline: _Deadline) -> list[str]:
    """All addresses of the name, in the resolver's order. Asked once: a second answer may be another.

    The resolver of the system takes no limit and cannot be interrupted. So a thread asks it; one that is late is left
    to end by itself, and keeps nobody.
    """
    answer: Future[Any] = Future()

    def ask() -> None:
        try:
            # A Lambda function outside a VPC has no IPv6: then no such address is wanted.
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG))
        except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
            answer.set_exception(error)

    Thread(target=ask, daemon=True).start()
    try:
        found = answer.result(timeout=deadline.left())
    except TimeoutError:
        raise deadline.missed() from None
    except OSError as error:
        raise Unavailable(f"{host} cannot be resolved: {type(error).__name__}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@contextmanager
def _limited(connection: socket.socket, deadline: _Deadline) -> Iterator[None]:
    """End `connection` at the `deadline`. Each read has a limit of its own: a byte now and then would keep us for ever.

    Raises:
        Unavailable: it was ended; what was read may be cut short.
    """
    over = Event()
    with connection.dup() as same:

        def cut() -> None:
            over.set()
            with suppress(OSError):
                same.shutdown(socket.SHUT_RDWR)

        watch = Timer(deadline.left(), cut)
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()
            watch.join()
            if over.is_set():
                raise deadline.missed()
