"""One playbook run, as its record tells it: what was asked, who agreed, what changed, what was given back."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.person import Actor
from incidentio.core.redaction import redact_data
from incidentio.core.risk import Risk
from incidentio.core.signal import Kind
from incidentio.core.targets import target_name

RunStatus = Literal[
    "requested",
    "awaiting_approval",
    "running",
    "undoing",
    "succeeded",
    "held",
    "refused",
    "rolled_back",
    "rollback_failed",
    "planned",
]
FINISHED: frozenset[RunStatus] = frozenset(
    {"succeeded", "held", "refused", "rolled_back", "rollback_failed", "planned"}
)

StepKind = Literal["action", "manual", "wait"]
StepStatus = Literal[
    "pending", "skipped", "asked", "done", "kept", "applied", "restored", "already", "foreign", "stays", "failed"
]
UNTOUCHED: frozenset[StepStatus] = frozenset({"pending", "skipped"})
DONE: frozenset[StepStatus] = frozenset({"skipped", "done", "applied"})
"""After these a run goes on."""
UndoResult = Literal["restored", "already", "foreign", "stays", "failed"]

MAYBE_CHANGED: frozenset[StepStatus] = frozenset({"kept", "applied", "failed"})
"""Steps an undo looks at: from the moment the snapshot is kept, the change may have been made."""

LeaseStatus = Literal["open", "restoring", "restored", "foreign", "by_hand", "failed"]


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True, defer_build=True)


class RunStep(_Stored):
    """`given` are the step's `with` values with every parameter filled in, pinned when the run was asked for.

    So are `conditions` (matchers) and `target` (empty: the run's only one). `answer_id` is what a person confirms.
    """

    n: int
    kind: StepKind = "action"
    id: str = ""
    action: str
    target: str = ""
    conditions: tuple[str, ...] = Field(default=(), alias="if")
    answer_id: str | None = None
    given: dict[str, int | str | bool] = Field(default_factory=dict, alias="with")
    status: StepStatus = "pending"
    refused: bool = False
    """Whether its change was refused for certain, before AWS began anything."""
    before: Any = None
    after: Any = None
    summary: str = ""
    undo_summary: str = ""

    @property
    def touched(self) -> bool:
        """Whether something may have been changed by it."""
        return self.status not in UNTOUCHED and self.kind != "wait"


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
    """`rev` counts writes of the record: each write is conditional on the one it was decided on.

    `service` and `kind` are those of the incident when it was asked for.
    """

    run_id: str
    incident_id: str
    playbook: str
    version: str
    definition_hash: str
    risk: Risk
    target: str
    targets: tuple[str, ...] = ()
    """All of them, where there are several; `target` is the first."""
    parameters: dict[str, int | str] = Field(default_factory=dict)
    requester: Actor
    requested_at: datetime
    dry_run: bool = False
    break_glass: str = ""
    only_allowed: bool = False
    """Only what carries the tag that allows automation may be changed."""
    service: str = ""
    kind: Kind = Kind.REAL
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
        return any(step.touched for step in self.steps)

    @property
    def all_targets(self) -> tuple[str, ...]:
        return self.targets or (self.target,)

    @property
    def where(self) -> str:
        """What it acts on, for people."""
        return ", ".join(target_name(target) for target in self.all_targets)

    @property
    def told_parameters(self) -> dict[str, Any]:
        """Its parameters as people may read them: only the run's own record and its steps hold the raw ones."""
        return redact_data(self.parameters)

    @property
    def given(self) -> str:
        """Its parameters in one line, redacted; empty where it has none."""
        return ", ".join(f"{name}={value}" for name, value in sorted(self.told_parameters.items()))

    @property
    def waits_for(self) -> str | None:
        """The id of what a person has to answer now, if the run waits for one."""
        if self.status == "awaiting_approval":
            return self.approval_id
        return next((step.answer_id for step in self.steps if step.status == "asked"), None)

    def target_of(self, step: RunStep) -> str:
        return step.target or self.target

    def step(self, n: int) -> RunStep:
        return self.steps[n - 1]

    def with_step(self, n: int, **updates: Any) -> "Run":
        changed = self.step(n).model_copy(update=updates)
        return self.model_copy(update={"steps": (*self.steps[: n - 1], changed, *self.steps[n:])})

    def having(self, **updates: Any) -> "Run":
        return self.model_copy(update=updates)
