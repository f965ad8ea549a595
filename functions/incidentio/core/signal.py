"""A signal: one normalised observation from a source, whatever door it came through."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from incidentio.core.severity import Severity


class SignalState(StrEnum):
    FIRING = "firing"
    OK = "ok"
    NOTE = "note"  # INSUFFICIENT_DATA and the like: recorded, changes nothing


class Mode(StrEnum):
    """Whether an incident acts on people and systems, or only shows what it would have done."""

    LIVE = "live"
    MONITOR = "monitor"


class Kind(StrEnum):
    REAL = "real"
    DRILL = "drill"
    HEARTBEAT = "heartbeat"


class Subject(BaseModel):
    """What the signal is about, as its source names it: used by triage and to find playbook targets."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    account: str = ""
    region: str = ""
    alarm_name: str = ""
    alarm_arn: str = ""
    namespace: str = ""
    metric: str = ""
    dimensions: dict[str, str] = Field(default_factory=dict)
    resources: tuple[str, ...] = ()


def dedup_hash(dedup_key: str) -> str:
    """32 hex characters of SHA-256 of the key: what the table is keyed by."""
    return sha256(dedup_key.encode()).hexdigest()[:32]


class Signal(BaseModel):
    """Text fields are already redacted and bounded when a Signal exists.

    `dedup_key` never holds state or severity. `changed_at` is the source's own state-change time:
    the fence that makes late and repeated deliveries harmless.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    source: str
    dedup_key: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    state: SignalState
    changed_at: datetime
    received_at: datetime
    impact_started_at: datetime | None = None
    title: Annotated[str, StringConstraints(max_length=200)]
    reason: Annotated[str, StringConstraints(max_length=1024)] = ""
    severity: Severity | None = None
    service: str | None = None
    environment: str | None = None
    kind: Kind = Kind.REAL
    mode: Mode = Mode.LIVE
    mode_reason: str = ""
    subject: Subject = Field(default_factory=Subject)
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def dedup_hash(self) -> str:
        return dedup_hash(self.dedup_key)
