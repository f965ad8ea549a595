"""An incident as the API shows it: whole, as a card in a list, and by its timeline."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from incidentio.api.findings import ContextView, Findings
from incidentio.api.run_views import RunView, run_view
from incidentio.api.views import ActorView, Next, Shown, View
from incidentio.core.clocks import Clocks, clocks_of
from incidentio.core.impact import Estimate
from incidentio.core.incident import Incident, PostmortemStatus, Status
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode, Subject
from incidentio.core.timeline import BrokenLink, Entry


class Links(View):
    self: str
    timeline: str
    postmortem: str
    approvals: str


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


def entry_view(entry: Entry) -> EntryView:
    return EntryView.model_validate(entry.model_dump(include=set(EntryView.model_fields)))


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
