"""Runs of playbooks as the API shows them, and the approvals they wait for."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict

from incidentio.api.views import ActorView, Next, View
from incidentio.core.signal import Kind


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


def run_view(run: Mapping[str, Any]) -> RunView:
    return RunView.model_validate({"id": run["run_id"], **run})


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
