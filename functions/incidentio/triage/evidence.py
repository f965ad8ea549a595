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

    def tag(self, name: str) -> tuple[str, str] | None:
        """Key and value of the tag `incidentio:<name>`, else of `<name>`, which others may use as well."""
        for key in (f"incidentio:{name}", name):
            if value := self.tags.get(key):
                return key, value
        return None


@dataclass(frozen=True)
class Evidence:
    """The signals, the one that opened the incident first. `missing` says what could not be read, and why."""

    heard: tuple[Heard, ...]
    missing: tuple[str, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        """The tags of all signals; of one that several have, the first signal's."""
        return {key: value for heard in reversed(self.heard) for key, value in heard.tags.items()}

    @property
    def agreed(self) -> dict[str, str]:
        """The tags that all signals share which have any: what is of one host is not of its whole group."""
        first, *others = [heard.tags for heard in self.heard if heard.tags] or [{}]
        return {key: value for key, value in first.items() if all(tags.get(key) == value for tags in others)}

    @property
    def reason(self) -> str:
        """What the first signal that gave a reason said."""
        return next((h.reason for h in self.heard if h.reason), "")
