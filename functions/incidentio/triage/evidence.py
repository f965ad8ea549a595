"""What triage decides on: the signals an incident holds, and the tags of their alarms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from incidentio.core.severity import Severity
from incidentio.core.signal import Subject


@dataclass(frozen=True)
class Heard:
    """One signal of the incident as its source described it; `tags` are those of its alarm."""

    subject: Subject
    tags: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None
    service: str | None = None
    environment: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Evidence:
    """The signals, the one that opened the incident first. `missing` says what could not be read, and why."""

    heard: tuple[Heard, ...]
    missing: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        return next((h.reason for h in self.heard if h.reason), "")
