"""An integration: who may send signals over HTTP, with which keys, and what its signals are unless they say so.

A key is `iio_<name>_<64 hex characters>`: 256 random bits behind the name they belong to, so that one read finds the
record and a leaked key says where it came from. Only its SHA-256 is kept: a random key of that size has no
weak guesses, so a slow hash would buy nothing.
"""

import hmac
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.severity import Severity
from incidentio.core.signal import Mode

PARTITION = "INTEGRATIONS"
"""Where they are stored, by name."""
USED = "INTEGRATIONS#USED"
"""Where the day is stored on which each was last used."""
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,39}$"

IntegrationKind = Literal["alertmanager", "pagerduty", "signals"]
PATHS: Mapping[IntegrationKind, str] = {
    "alertmanager": "/webhooks/alertmanager",
    "pagerduty": "/v2/enqueue",
    "signals": "/signals",
}

_KEY = re.compile(r"iio_([a-z][a-z0-9-]{0,39})_([0-9a-f]{64})")
_LIVE_KEYS = 2


@dataclass(frozen=True)
class SigningSecret:
    """A secret by which an integration signs, and the request that made it."""

    secret: str = field(repr=False)
    request: str | None = None


class SigningSecrets(Protocol):
    """The signing secrets of integrations, newest first."""

    def get(self, integration: str) -> Sequence[SigningSecret]:
        """Those that are alive; none when it has none."""

    def put(self, integration: str, secrets: Sequence[SigningSecret]) -> None:
        """Keep these."""

    def delete(self, integration: str) -> None:
        """Forget them, if there are any."""


class IntegrationKey(BaseModel):
    """What is kept of a key. `id` is the beginning of its hash; `request` the request that made it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    hash: str
    created_at: str
    created_by: str
    request: str | None = None


class Integration(BaseModel):
    """One integration as stored. Without keys it is revoked. `signed`: its requests carry a signature as well."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    kind: IntegrationKind
    mode: Mode = Mode.LIVE
    service: str | None = None
    environment: str | None = None
    severity: Severity | None = None
    signed: bool = False
    keys: tuple[IntegrationKey, ...] = ()
    created_at: str
    created_by: str
    revoked_at: str | None = None
    revoked_by: str | None = None

    def holds(self, key: str) -> bool:
        """Whether `key` is one of the live keys, in a time that does not depend on where it differs."""
        given = sha256(key.encode()).hexdigest()
        return any([hmac.compare_digest(given, kept.hash) for kept in self.keys])  # noqa: C419 - look at each


def new_key(name: str, *, at: str, by: str, request: str | None = None) -> tuple[str, IntegrationKey]:
    """A key, to be shown once, and what is kept of it."""
    key = f"iio_{name}_{secrets.token_hex(32)}"
    digest = sha256(key.encode()).hexdigest()
    return key, IntegrationKey(id=digest[:8], hash=digest, created_at=at, created_by=by, request=request)


def name_in(key: str) -> str | None:
    """The name of the integration that `key` claims to belong to; None when it is no key of ours."""
    found = _KEY.fullmatch(key)
    return found[1] if found else None


def new_signing_secret() -> str:
    """A secret in the form of Standard Webhooks: `whsec_` and 256 random bits in base64.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    return f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"


class Integrations(Protocol):
    """What the HTTP door needs to know of those there are."""

    def find(self, name: str) -> Integration | None:
        """Raises: Unavailable: they cannot be read."""

    def used(self, name: str, day: str) -> None:
        """Remember that it was used on that day."""


T = TypeVar("T")


def rotated(kept: Sequence[T], new: T, *, same_request: Callable[[T], bool], alone: bool = False) -> tuple[T, ...]:
    """`new` and the one before it: two are alive while senders are changed over. `alone`: only the new one.

    Whose request is repeated never saw its answer: what that request made gives way to `new`, and nothing else does.
    """
    before = [] if alone else [each for each in kept if not same_request(each)]
    return (new, *before[: _LIVE_KEYS - 1])


def integration_from(body: Mapping[str, Any]) -> Integration:
    return Integration.model_validate(body)
