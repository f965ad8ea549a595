"""What triage found around an incident: suspects, similar incidents, traces, and what it could not know.

One record beside the summary (`INC#<id>` / `CONTEXT`), because the summary is written again with every step.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field

from incidentio.core.ports import Key, Put, Record, Records


class _Found(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Suspect(_Found):
    """A change that may be the cause. `score` is 0 to 100, `why` its sum; `minutes` before impact (below 0: after)."""

    id: str
    what: str
    kind: str
    service: str | None
    at: datetime
    minutes: int
    actor: str = ""
    version: str = ""
    status: str = ""
    reversible: bool = True
    reason: str = ""
    url: str = ""
    score: int
    why: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str:
        """`deploy v42 of checkout 6 min before impact, by ana`; without a version, what it was stands behind it."""
        version = f" {self.version}" if self.version else ""
        service = f" of {self.service}" if self.service else ""
        when = f"{self.minutes} min before impact" if self.minutes >= 0 else f"{-self.minutes} min after impact began"
        by = f", by {self.actor}" if self.actor else ""
        failed = ", which failed" if self.status == "failed" else ""
        back = "" if self.reversible else f", not reversible{f': {self.reason}' if self.reason else ''}"
        which = "" if self.version else f" ({self.what})"
        return f"{self.kind}{version}{service}{which} {when}{by}{failed}{back}"


class Similar(_Found):
    """A past incident. `score` is 0 to 100, `why` what they have in common, `fixed_by` what ended it then."""

    incident_id: str
    title: str
    service: str | None
    at: datetime
    score: int
    why: str
    fixed_by: str = ""


class Gap(_Found):
    """Something triage would have liked to know, and what to do so that it does."""

    name: str
    todo: str


class Situation(_Found):
    """`completeness` is 0 to 100; `gaps` are what is missing to 100. `traces` are ids found in the signals, by kind."""

    service: str | None = None
    suspects: tuple[Suspect, ...] = ()
    similar: tuple[Similar, ...] = ()
    traces: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    completeness: int = 0
    gaps: tuple[Gap, ...] = ()


def situation_key(incident_id: str) -> Key:
    return Key(f"INC#{incident_id}", "CONTEXT")


def situation_write(incident_id: str, situation: Situation) -> Put:
    return Put(Record(situation_key(incident_id), situation.model_dump(mode="json", exclude_defaults=True)))


def situation_from(body: Mapping[str, Any] | None) -> Situation | None:
    return Situation.model_validate(body) if body is not None else None


def situation_of(records: Records, incident_id: str) -> Situation | None:
    """None until triage has looked."""
    return situation_from(records.get(situation_key(incident_id)))
