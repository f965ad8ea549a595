"""Bodies of the writes. Unknown fields are refused, so that a typing error is not silently ignored."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)

from incidentio.core import years
from incidentio.core.errors import InvalidInput
from incidentio.core.incident import Role, SaidImpact
from incidentio.core.redaction import is_clean
from incidentio.core.severity import Severity, parse_severity
from incidentio.core.signal import Kind

MAX_TITLE = 200


def _severity(value: Any) -> Severity:
    try:
        return parse_severity(str(value))
    except InvalidInput as error:
        raise ValueError(error.message) from None


def _utc(value: datetime) -> datetime:
    return years.in_range(value).astimezone(UTC)


def _clean(value: str) -> str:
    if not is_clean(value):
        raise ValueError("holds what looks like a secret or personal data")
    return value


Clean = AfterValidator(_clean)
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"), Clean]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
SeverityField = Annotated[
    Severity,
    BeforeValidator(_severity, json_schema_input_type=str),
    Field(description="SEV1 to SEV5; also 1 to 5, P1 to P5, or a PagerDuty word such as `critical`."),
]
Text = Annotated[str, Field(description="At most 4096 bytes; secrets in it are masked before it is stored.")]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class NewIncident(Body):
    title: Title
    severity: SeverityField | None = None
    service: Name | None = None
    environment: Name | None = None
    kind: Kind = Kind.REAL
    impact_started_at: Moment | None = None
    note: Text = ""


class Corrections(Body):
    """Only what is given changes; `service: null` takes the service away."""

    title: Title | None = None
    service: Name | None = None
    environment: Name | None = None
    impact_started_at: Moment | None = None
    impact: SaidImpact | None = Field(
        default=None, description="What it was, instead of the estimate; a null gives that number back to it."
    )


class Remark(Body):
    note: Text = ""


class Resolution(Body):
    note: Text = ""
    reason: Annotated[str, StringConstraints(max_length=200)] | None = None


class Cancellation(Body):
    reason: Annotated[str, Field(description="false_positive, duplicate, expected, test or other.")]
    note: Text = ""


class Merge(Body):
    into: Annotated[str, Field(description="The open incident that takes over, such as INC-7K3F9A.")]
    note: Text = ""


class Split(Body):
    dedup_key: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    note: Text = ""


class Note(Body):
    text: Text


class RoleAssignment(Body):
    role: Role
    person: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = Field(
        default=None, description="Who takes the role; the caller when left out."
    )


class SeverityChange(Body):
    severity: SeverityField
    reason: Text


class Review(Body):
    markdown: Annotated[str, StringConstraints(min_length=1)]


class Waiver(Body):
    reason: Text


class PlaybookRun(Body):
    """`target` is a name, such as a function's; left out, it is what the incident's signal is about."""

    target: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    parameters: dict[str, Annotated[int, Strict()] | str] = Field(default_factory=dict, max_length=32)
    dry_run: bool = Field(default=False, description="Only say what it would do.")
    break_glass: Text = Field(default="", description="A reason to act without waiting for approval: loud and audited.")


class Rehearsal(Body):
    """`target` is a name, such as a function's; left out, it is that of the last rehearsal or run that succeeded."""

    service: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    target: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    parameters: dict[str, Annotated[int, Strict()] | str] = Field(default_factory=dict, max_length=32)


class Restore(Body):
    by_hand: Text = Field(
        default="",
        description="What a person did instead: ends a loan whose restore failed, and leaves AWS as it is.",
    )


class ApprovalDecision(Body):
    decision: Literal["approve", "reject"]
    reason: Text = ""


class NewDeploy(Body):
    """One deploy, told by the pipeline or person that makes it. The same `id` again is the same deploy."""

    service: Name
    version: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    id: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,200}$")] | None = Field(
        default=None, description="The sender's own id of the deploy, such as that of a pipeline's run."
    )
    environment: Name | None = Field(default=None, description="That of the service in the catalogue when left out.")
    at: Moment | None = Field(default=None, description="When it happened; now when left out.")
    status: Literal["started", "succeeded", "failed"] = "succeeded"
    reversible: bool = Field(default=True, description="False where rolling back would break data.")
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = Field(
        default="", description="Why it cannot be rolled back: required then."
    )
    url: Annotated[str, StringConstraints(pattern=r"^https?://[\x21-\x7e]{1,290}$")] | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "NewDeploy":
        if not self.reversible and not self.reason:
            raise ValueError("reason: say why this cannot be rolled back, such as a migration that drops a column")
        return self


class HandsOff(Body):
    scope: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(
        description="An incident id, a service, a playbook, or `all`."
    )
    on: bool
    reason: Text = ""
    hold: bool = Field(
        default=False,
        description="Runs under way keep what they changed, as a loan, instead of giving it back at once.",
    )
