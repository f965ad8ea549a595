"""What every route needs to know about its request: who, when, which version, and whether it is a repeat."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from incidentio.core.archive import Archive, Retention, RetentionMode
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Conflict, Forbidden, InvalidInput
from incidentio.core.incident import Incident
from incidentio.core.person import Actor, person_from_arn
from incidentio.core.ports import Clock, Table

if TYPE_CHECKING:
    from incidentio.core.integration import SigningSecrets

MAX_IDEMPOTENCY_KEY = 128
BODY_LIMIT = 64 * 1024
REVIEW_BODY_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Api:
    """Everything the routes reach the outside through. `account` and `region` are the deployment's own."""

    table: Table
    archive: Archive
    secrets: "SigningSecrets"
    bundle: Bundle
    clock: Clock
    account: str
    region: str
    retention_mode: RetentionMode = "GOVERNANCE"
    retention_days: int = 365

    def retention(self, at: datetime) -> Retention:
        return Retention(self.retention_mode, at + timedelta(days=self.retention_days))


@dataclass(frozen=True)
class Call:
    """One write, as its headers say. `key` is what an incident remembers of an `Idempotency-Key`."""

    actor: Actor
    at: datetime
    expected_version: int | None
    key: str | None

    def refuse_reuse(self, incident: Incident) -> None:
        """Raise Conflict when this key was used before for a request with another content."""
        if self.key is None:
            return
        who = self.key.partition(".")[0]
        if any(used != self.key and used.partition(".")[0] == who for used in incident.idempotency):
            raise reused()


def reused() -> Conflict:
    return Conflict("this Idempotency-Key was used for another request: choose a new one")


def call_of(event: APIGatewayProxyEvent, at: datetime) -> Call:
    """Read actor and headers of a write.

    Raises:
        Forbidden: nobody signed the request.
        InvalidInput: a header is malformed.
    """
    arn = event.request_context.identity.user_arn
    if not arn:
        raise Forbidden("the request carries no caller: sign it with SigV4 for the service execute-api")
    actor = person_from_arn(arn)
    return Call(
        actor=actor,
        at=at,
        expected_version=_version(event.headers.get("if-match")),
        key=_remembered_key(event, actor),
    )


def _version(header: str | None) -> int | None:
    if header is None or header.strip() == "*":
        return None
    text = header.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10):
        raise InvalidInput(
            f"If-Match {header[:40]!r} is not a version: send the incident's `version`, such as 3", header="If-Match"
        )
    return int(text)


def _remembered_key(event: APIGatewayProxyEvent, actor: Actor) -> str | None:
    """`<hash of caller, route and key>.<hash of the body>`: a repeat has both, a reuse only the first."""
    key = event.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= MAX_IDEMPOTENCY_KEY:
        raise InvalidInput(
            f"Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY} characters, not {len(key)}", header="Idempotency-Key"
        )
    who = "\n".join([actor.id, event.http_method, event.path.rstrip("/"), key])
    return f"{sha256(who.encode()).hexdigest()[:32]}.{sha256(_canonical_body(event)).hexdigest()[:16]}"


def _canonical_body(event: APIGatewayProxyEvent) -> bytes:
    return json.dumps(event.json_body, sort_keys=True, separators=(",", ":")).encode()


def decode_body(text: str | bytes | bytearray) -> Any:
    """A JSON document that can also be stored: no NaN, no lone surrogates, no absurd nesting.

    Raises:
        InvalidInput: it is not one.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError:
        raise InvalidInput("the body holds text that is not valid Unicode") from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise InvalidInput(f"the body is not JSON: {error.msg} at character {error.pos}", at=error.pos) from None
    except ValueError as error:
        raise InvalidInput(f"the body is not JSON we can store: {error}") from None
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
