"""The incident: a frozen, versioned record, and the one way to change it: `recorded`."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.person import Actor
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode, Subject
from incidentio.core.timeline import GENESIS, Entry


class Status(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"

    @property
    def is_open(self) -> bool:
        return self in _OPEN


_OPEN = frozenset({Status.TRIGGERED, Status.ACKNOWLEDGED, Status.MITIGATED})

Role = Literal["incident_commander", "communications_lead", "scribe", "responder", "observer"]
TriagedAs = Literal["", "overdue", "monitor", "live"]
PostmortemStatus = Literal["none", "draft", "reviewed", "waived"]


class SaidImpact(BaseModel):
    """What a person says the impact was: `users` hit, and `revenue` lost, such as `1200 EUR`. None: not said."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    users: int | None = Field(default=None, ge=0)
    revenue: str | None = Field(default=None, pattern=r"^\d{1,15}(\.\d{1,2})? [A-Z]{3}$")


class Incident(BaseModel):
    """The summary item. `version` moves on lifecycle change only, `timeline_seq` on every append.

    Timestamps are UTC. `members` counts joined signals, `firing` those of them not ok;
    `ok_since` is set while every member is ok and recovery is being watched; `repeat_seconds` is
    how often an unacknowledged page repeats (0: never). `severity_set`: a person chose the severity,
    so triage keeps it. `triaged_as` is the mode triage last judged it in, or `overdue` when it was
    assumed. `episode` is the version at which the present impact began: 1, then each reopening or
    return of impact; `told_episode` is the last one somebody was told of, or was not for a recorded reason.
    `labels` are what rules and senders gave it, for matchers; `related` are open incidents of other services that
    belong to the same trouble; `parent` is the incident of the storm it is told through.
    `flapping_since` is set while its signals change too often; until `flapping_until` it does not recover.
    `held_for`: in monitor mode until it has so many members (0: nothing holds it). `inhibits`: some of its members are
    there only because another one fires; at `released_at` it has been ok for long enough, and they are looked at again.
    `monitored`: kinds of rules in monitor mode that would have done something to it, which its timeline says.
    `receiver` is where a rule sends its calls, whatever the route says; `responders` are whom rules suggest;
    `ruled` names the rule that decided a field; `given` what a person said beside the severity (`service`,
    `environment`), which triage keeps. `quiet_until`: people are not told before, for a recorded reason;
    `worked_at`: when somebody last worked on it after it was acknowledged.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    title: str
    status: Status = Status.TRIGGERED
    severity: Severity
    severity_set: bool = False
    service: str | None = None
    environment: str = "production"
    kind: Kind = Kind.REAL
    mode: Mode = Mode.LIVE
    mode_reason: str = ""
    why: str = ""
    triaged_as: TriagedAs = ""
    version: int = 1
    episode: int = 1
    told_episode: int = 0
    timeline_seq: int = 0
    head_hash: str = GENESIS
    correlation_id: str = ""

    impact_started_at: datetime
    detected_at: datetime
    triaged_at: datetime | None = None
    acknowledged_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    first_paged_at: datetime | None = None
    last_paged_at: datetime | None = None
    ok_since: datetime | None = None
    quiet_until: datetime | None = None
    worked_at: datetime | None = None

    source: str = "api"
    dedup_key: str | None = None
    subject: Subject = Field(default_factory=Subject)
    labels: dict[str, str] = Field(default_factory=dict)
    related: tuple[str, ...] = ()
    parent: str | None = None
    receiver: Literal["page", "ticket"] | None = None
    responders: tuple[str, ...] = ()
    ruled: dict[str, str] = Field(default_factory=dict)
    given: tuple[str, ...] = ()
    impact: SaidImpact | None = None
    members: int = 0
    firing: int = 0
    held_for: int = 0
    inhibits: bool = False
    monitored: tuple[str, ...] = ()
    released_at: datetime | None = None
    flapping_since: datetime | None = None
    flapping_until: datetime | None = None
    pages: int = 0
    repeat_seconds: int = 0
    runs: int = 0
    open_leases: int = 0
    blast_radius: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    roles: dict[str, str] = Field(default_factory=dict)
    hands_off: bool = False
    hands_off_holds: bool = False
    """Runs under way then stay as they are, instead of giving back what they changed."""
    previous_incident_id: str | None = None
    merged_into: str | None = None
    resolution_reason: str | None = None
    postmortem: PostmortemStatus = "none"
    postmortem_key: str | None = None
    idempotency: dict[str, int] = Field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.status.is_open


@dataclass(frozen=True)
class Change:
    """One atomic step: the incident afterwards and the entries that say why.

    `expected_seq` is the `timeline_seq` it was decided on; a commit is refused when another
    writer appended in between. 0 means the incident must not exist yet.
    """

    incident: Incident
    entries: tuple[Entry, ...]
    expected_seq: int

    def recorded(self, type: str, *, actor: Actor, at: datetime, text: str, **kwargs: Any) -> "Change":
        """This change with one more entry on top (same arguments as the module's `recorded`)."""
        more = recorded(self.incident, type, actor=actor, at=at, text=text, **kwargs)
        return replace(self, incident=more.incident, entries=self.entries + more.entries)


_WORK = frozenset({"ImpactReturned", "PlaybookStarted", "StepApplied", "PlaybookSucceeded", "PlaybookRolledBack"})


def _is_work(incident: Incident, type: str, actor: Actor) -> bool:
    """Whether it shows that somebody, or a playbook, is at work on what was acknowledged."""
    held = incident.status is Status.ACKNOWLEDGED or type == "ImpactReturned"
    return held and (actor.kind == "person" or type in _WORK)


def recorded(
    incident: Incident,
    type: str,
    *,
    actor: Actor,
    at: datetime,
    text: str,
    data: dict[str, Any] | None = None,
    lifecycle: bool = False,
    **updates: Any,
) -> Change:
    """Append one entry and set `updates` on the incident; `lifecycle` moves `version` as well.

    `text` and `data` must already be redacted: this is pure and writes what it is given.
    """
    version = incident.version + 1 if lifecycle and incident.timeline_seq else incident.version
    if _is_work(incident, type, actor):
        updates = {"worked_at": at, **updates}
    entry = Entry(
        incident_id=incident.id,
        seq=incident.timeline_seq + 1,
        type=type,
        at=at,
        actor=actor,
        text=text,
        data=data or {},
        incident_version=version,
        kind=incident.kind,
        correlation_id=incident.correlation_id,
        previous_hash=incident.head_hash,
    ).sealed()
    after = incident.model_copy(
        update={**updates, "version": version, "timeline_seq": entry.seq, "head_hash": entry.hash}
    )
    return Change(incident=after, entries=(entry,), expected_seq=incident.timeline_seq)
