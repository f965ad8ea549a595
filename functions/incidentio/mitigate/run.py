"""One playbook run, as its record tells it: what was asked, who agreed, what changed, what was given back."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.person import Actor
from incidentio.core.playbook import Risk

RunStatus = Literal[
    "requested",
    "awaiting_approval",
    "running",
    "undoing",
    "succeeded",
    "refused",
    "rolled_back",
    "rollback_failed",
    "planned",
]
FINISHED: frozenset[RunStatus] = frozenset({"succeeded", "refused", "rolled_back", "rollback_failed", "planned"})

StepStatus = Literal["pending", "kept", "applied", "restored", "already", "foreign", "stays", "failed"]
UndoResult = Literal["restored", "already", "foreign", "stays", "failed"]

MAYBE_CHANGED: frozenset[StepStatus] = frozenset({"kept", "applied", "failed"})
"""Steps an undo looks at: from the moment the snapshot is kept, the change may have been made."""

LeaseStatus = Literal["open", "restoring", "restored", "foreign", "by_hand", "failed"]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)


class RunStep(_Stored):
    """`given` are the step's `with` values with every parameter filled in, pinned when the run was asked for."""

    n: int
    action: str
    given: dict[str, int | str | bool] = Field(default_factory=dict, alias="with")
    status: StepStatus = "pending"
    before: Any = None
    after: Any = None
    summary: str = ""
    undo_summary: str = ""


class Decision(_Stored):
    actor: Actor
    decision: Literal["approve", "reject"]
    reason: str = ""
    at: datetime


class Lease(_Stored):
    """A change that is borrowed. `attempts` is the number of the last restoring execution."""

    opened_at: datetime
    at_latest: datetime
    status: LeaseStatus = "open"
    attempts: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in ("open", "restoring", "failed")


class Run(_Stored):
    """`rev` counts writes of the record: each write is conditional on the one it was decided on."""

    run_id: str
    incident_id: str
    playbook: str
    version: str
    definition_hash: str
    risk: Risk
    target: str
    parameters: dict[str, int | str] = Field(default_factory=dict)
    requester: Actor
    requested_at: datetime
    dry_run: bool = False
    break_glass: str = ""
    status: RunStatus = "requested"
    outcome: str = ""
    reason: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    steps: tuple[RunStep, ...] = ()
    plan: tuple[dict[str, Any], ...] = ()
    approval_id: str | None = None
    approvals_needed: int = 0
    approvals: tuple[Decision, ...] = ()
    lease: Lease | None = None
    recoveries: int = 0
    rev: int = 1

    @property
    def finished(self) -> bool:
        return self.status in FINISHED

    @property
    def automatic(self) -> bool:
        return self.requester.kind != "person"

    @property
    def touched(self) -> bool:
        """Whether any step may have changed something, ever."""
        return any(step.status != "pending" for step in self.steps)

    def step(self, n: int) -> RunStep:
        return self.steps[n - 1]

    def with_step(self, n: int, **updates: Any) -> "Run":
        changed = self.step(n).model_copy(update=updates)
        return self.model_copy(update={"steps": (*self.steps[: n - 1], changed, *self.steps[n:])})

    def having(self, **updates: Any) -> "Run":
        return self.model_copy(update=updates)
