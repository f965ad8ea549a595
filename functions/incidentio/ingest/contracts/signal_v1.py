"""Our own contract, for senders that are no alarm (and for `incidentio test-page`): strict, so that a typo is told.

`{"incidentio": "signal/v1", "dedup_key": "…", "state": "firing|ok|note", "title": "…", "changed_at": "…Z"}`
with `reason`, `severity`, `service`, `environment`, `kind`, `impact_started_at` and `tags` as wanted,
published to the signal topic, or put on the signals bus as the detail of a "Signal" event.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from incidentio.core.errors import InvalidInput
from incidentio.core.heartbeat import DEDUP_KEY as HEARTBEAT
from incidentio.core.ids import iso
from incidentio.core.redaction import is_clean, redact, redact_data
from incidentio.core.severity import Severity, parse_severity
from incidentio.core.signal import Kind, Mode, Signal, SignalState
from incidentio.ingest.observation import Observation, Unreadable, as_utc

MARK = "signal/v1"
TEST_PAGE = "incidentio:test-page/"

_HASHED = re.compile(r"(?:signal|integration/[a-z0-9-]+)/sha256:[0-9a-f]{64}")

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


def _severity(value: Any) -> Any:
    try:
        return parse_severity(value) if isinstance(value, str) else value
    except InvalidInput as error:
        raise ValueError(error.message) from None


class SignalV1(BaseModel):
    """The wire form."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    incidentio: Literal["signal/v1"]
    dedup_key: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,256}$")]
    state: SignalState
    title: Annotated[str, Field(min_length=1, max_length=500)]
    changed_at: AwareDatetime
    reason: Annotated[str, Field(max_length=4096)] = ""
    severity: Annotated[Severity | None, BeforeValidator(_severity)] = None
    service: Label | None = None
    environment: Label | None = None
    kind: Kind = Kind.REAL
    impact_started_at: AwareDatetime | None = None
    tags: Annotated[dict[str, Annotated[str, Field(max_length=256)]], Field(max_length=50)] = Field(
        default_factory=dict
    )


def _kind(given: SignalV1) -> Kind:
    """Our own keys are never real, whoever uses them."""
    if given.dedup_key == HEARTBEAT:
        return Kind.HEARTBEAT
    return Kind.DRILL if given.dedup_key.startswith(TEST_PAGE) and given.kind is Kind.REAL else given.kind


def _shown(key: str) -> str:
    """The key, or its hash where it holds what would be redacted. A hash stays what it is, read a second time."""
    if _HASHED.fullmatch(key) or is_clean(key):
        return key
    return f"signal/sha256:{sha256(key.encode()).hexdigest()}"


def _clean(label: str | None) -> str | None:
    return label if label and is_clean(label) else None


def read_signal(document: Mapping[str, Any]) -> Observation:
    """One signal of our own form; whoever sends it means it, so it is live. A test page is never real.

    A service or environment that holds what would be redacted counts as not given.

    Raises:
        Unreadable: names each wrong field and what is wrong with it.
    """
    try:
        given = SignalV1.model_validate(document)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False, include_url=False)
        )
        raise Unreadable(redact(f"{MARK}: " + "; ".join(problems), limit=500)) from None
    changed_at = as_utc(given.changed_at)
    impact = as_utc(given.impact_started_at or changed_at)
    kind, key = _kind(given), _shown(given.dedup_key)

    def build(received_at: datetime) -> Signal:
        return Signal(
            source="signal",
            dedup_key=key,
            state=given.state,
            changed_at=changed_at,
            received_at=received_at,
            impact_started_at=min(impact, changed_at) if given.state is SignalState.FIRING else None,
            title=redact(given.title, limit=200),
            reason=redact(given.reason, limit=1024),
            severity=given.severity,
            service=_clean(given.service),
            environment=_clean(given.environment),
            kind=kind,
            mode=Mode.LIVE,
            mode_reason="sent to us as a signal",
            tags=redact_data(given.tags, limit=256),
        )

    return Observation(key, given.state, iso(changed_at), Mode.LIVE, build, given.severity)
