"""What the API answers with: one model per answer, mapped explicitly from the stored record."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from incidentio.api.findings import ContextView, Findings
from incidentio.core.changes import ChangeRecord
from incidentio.core.clocks import Clocks, clocks_of
from incidentio.core.ids import iso
from incidentio.core.impact import Estimate
from incidentio.core.incident import Incident, PostmortemStatus, Status
from incidentio.core.noise import AlarmNoise
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode, Subject
from incidentio.core.timeline import BrokenLink, Entry

Shown = Annotated[datetime, PlainSerializer(iso, return_type=str)]
Next = Annotated[str | None, Field(description="Cursor of the next page; null on the last one.")]


class View(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class Links(View):
    self: str
    timeline: str
    postmortem: str
    approvals: str


class ActorView(View):
    id: str
    kind: str


class StepView(View):
    """One step of a run; `before` and `after` are the values it found and set."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="allow")

    n: int
    action: str
    status: str
    before: Any = None
    after: Any = None


class RunView(View):
    """One playbook run. `outcome` stays empty until it has ended; `plan` is what a dry run would do."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="ignore")

    id: str
    run_id: str
    incident_id: str
    playbook: str
    version: str
    definition_hash: str
    risk: str
    target: str
    parameters: dict[str, int | str]
    requester: ActorView
    requested_at: str
    dry_run: bool
    break_glass: str
    status: str
    outcome: str
    reason: str
    started_at: str | None
    finished_at: str | None
    steps: list[StepView]
    plan: list[dict[str, Any]]
    approval_id: str | None
    approvals_needed: int
    approvals: list[dict[str, Any]]
    lease: dict[str, Any] | None


class IncidentView(View):
    """The incident. Times are UTC and null until they happen; `clocks` are seconds."""

    id: str
    title: str
    status: Status
    severity: Severity
    service: str | None
    environment: str
    kind: Kind
    mode: Mode
    mode_reason: str
    why: str
    version: int
    impact_started_at: Shown
    detected_at: Shown
    triaged_at: Shown | None
    acknowledged_at: Shown | None
    mitigated_at: Shown | None
    resolved_at: Shown | None
    closed_at: Shown | None
    first_paged_at: Shown | None
    last_paged_at: Shown | None
    quiet_until: Shown | None
    clocks: Clocks
    source: str
    dedup_key: str | None
    subject: Subject
    members: int
    firing: int
    flapping_since: Shown | None
    parent: str | None
    children: list[str] = Field(description="The first hundred incidents that are told through this one, in a storm.")
    pages: int
    blast_radius: list[str]
    proposed: list[str]
    labels: dict[str, str]
    receiver: Literal["page", "ticket"] | None = Field(description="Where a rule sends its calls.")
    responders: list[str]
    ruled: dict[str, str] = Field(description="Which rule of routing.yaml decided a field.")
    related: list[str] = Field(description="Open incidents of services that depend on this one, or it on them.")
    impact: Estimate | None = Field(description="Null in the answer of most writes: read it again.")
    context: ContextView | None = Field(description="Null until triage has looked, and as `impact`.")
    roles: dict[str, str]
    hands_off: bool
    open_leases: int
    runs: list[RunView]
    resolution_reason: str | None
    merged_into: str | None
    previous_incident_id: str | None
    postmortem: PostmortemStatus
    timeline_seq: int
    links: Links


class Card(View):
    """An incident in a list: the fields the listing holds, named as in the full incident."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="allow")

    id: str
    title: str | None
    status: Status
    severity: Severity
    service: str | None
    environment: str
    kind: Kind
    version: int
    detected_at: str


class IncidentList(View):
    items: list[Card]
    next: Next


class ChangeView(View):
    """One change of the estate. `reversible` is false where rolling back would break data; `reason` says why."""

    id: str
    source: str
    service: str | None
    environment: str
    at: Shown
    what: str
    status: str
    actor: str
    version: str
    reversible: bool
    reason: str
    resources: list[str]
    url: str


class ChangeList(View):
    items: list[ChangeView]
    next: Next


class EntryView(View):
    """One timeline entry: `text` for people, `data` for programs, `hash` for the audit."""

    seq: int
    type: str
    at: Shown
    actor: ActorView
    text: str
    data: dict[str, Any]
    incident_version: int
    previous_hash: str
    hash: str


class Timeline(View):
    items: list[EntryView]
    next: Next


class AnchorView(View):
    """The latest locked anchor that names the incident: the chain must hold `head_hash` at `seq`."""

    key: str
    seq: int
    head_hash: str


class Verification(View):
    ok: bool
    entries: int
    broken: BrokenLink | None
    anchor: AnchorView | None


class PostmortemView(View):
    """`document` is the draft for programs; absent once a reviewed text replaced it."""

    incident_id: str
    status: PostmortemStatus
    key: str
    markdown: str
    document: dict[str, Any] | None


class VersionView(View):
    """How the runs of one version of a playbook ended, for real incidents. What was refused changed nothing."""

    version: str
    definition_hash: str
    succeeded: int
    rolled_back: int
    rollback_failed: int
    refused: int
    success_rate: float | None = Field(description="Percent of the runs that acted; null when none has.")
    last_at: Shown


class RehearsalView(View):
    """When a playbook was last seen to work for a service. `stale` says why it may not start by itself there.

    `automatic`: the service's team lets it. `dry_run`: it would have worked, and changed nothing.
    """

    service: str
    automatic: bool
    at: Shown | None
    target: str | None
    run_id: str | None
    dry_run: bool
    stale: str | None


class PlaybookView(View):
    name: str
    version: str
    owner: str
    description: str
    risk: str
    approvals: int = Field(description="How many different people must approve a run.")
    definition_hash: str
    target_type: str
    when: list[str]
    parameters: dict[str, dict[str, Any]]
    success_rate: float | None = Field(
        description="Percent of the runs that acted, of all versions; null when none has."
    )
    versions: list[VersionView]
    rehearsals: list[RehearsalView]


class PastRunView(View):
    """One run or rehearsal of a playbook, as it ended, or with its status and since when while it is under way."""

    run_id: str
    incident_id: str
    service: str
    kind: Kind
    version: str
    definition_hash: str
    target: str
    requester: str
    dry_run: bool
    outcome: str
    reason: str
    at: str


class PastRunList(View):
    items: list[PastRunView]
    next: Next = None


class PlaybookList(View):
    items: list[PlaybookView]
    success_rate_by_risk: dict[str, float | None]
    next: Next = None


class ApprovalView(View):
    """`version` is the playbook's. A decided or expired approval never becomes pending again."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="allow")

    id: str
    status: Literal["pending", "approved", "rejected", "expired"]
    playbook: str
    version: str
    risk: str
    target: str
    requested_at: str
    expires_at: str


class ApprovalList(View):
    items: list[ApprovalView]
    next: Next = None


class SwitchView(View):
    scope: str
    on: bool
    reason: str
    by: str | None
    at: str | None


class SwitchList(View):
    items: list[SwitchView]
    next: Next = None


class NoiseReport(View):
    """Per alarm, over incidents that are over. `complete` is false where a day had too many to read."""

    days: int
    since: date
    until: date
    incidents: int
    complete: bool
    totals: dict[str, int]
    items: list[AlarmNoise]


def incident_view(
    incident: Incident,
    runs: Iterable[Mapping[str, Any]] = (),
    findings: Findings | None = None,
    children: Iterable[str] = (),
) -> IncidentView:
    values = {name: getattr(incident, name) for name in IncidentView.model_fields if name in Incident.model_fields}
    own = f"/incidents/{incident.id}"
    return IncidentView.model_validate(
        values
        | {
            "clocks": clocks_of(incident),
            "impact": findings.impact if findings else None,
            "context": findings.context if findings else None,
            "children": list(children),
            "runs": [run_view(run) for run in runs],
            "links": Links(
                self=own, timeline=f"{own}/timeline", postmortem=f"{own}/postmortem", approvals=f"{own}/approvals"
            ),
        }
    )


def change_view(change: ChangeRecord) -> ChangeView:
    return ChangeView.model_validate(change.model_dump())


def run_view(run: Mapping[str, Any]) -> RunView:
    return RunView.model_validate({"id": run["run_id"], **run})


def entry_view(entry: Entry) -> EntryView:
    return EntryView.model_validate(entry.model_dump(include=set(EntryView.model_fields)))
