"""`playbook.yaml` as a model: the automated runbook an operator can read aloud."""

import json
import re
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from incidentio.core.duration import Duration
from incidentio.core.matchers import MatcherField
from incidentio.core.risk import Risk
from incidentio.core.steps import (
    ITEM,
    PARAMETER,
    TARGETS,
    Block,
    ForEach,
    Leaf,
    Step,
    Written,
    blocks,
    leaves_of,
    references,
)

__all__ = ["COMPILER_VERSION", "PARAMETER", "Parameter", "Playbook", "Risk", "Step"]

COMPILER_VERSION = "5"
"""Part of every definition hash: moves when the compiler would make another machine from the same YAML."""


def _version(written: Any) -> str:
    if isinstance(written, str) and re.fullmatch(r"\d+\.\d+\.\d+", written):
        return written
    raise ValueError(f"{written} is not a version: write it as major.minor.patch, such as 1.0.0")


Version = Annotated[str, BeforeValidator(_version), Field(pattern=r"^\d+\.\d+\.\d+$")]
PlaybookName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,40}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What would end a line of a command or a log, or steer a terminal."""


class Parameter(_Strict):
    type: Literal["integer", "string"]
    description: str = ""
    default: int | str | None = None
    minimum: int | None = None
    maximum: int | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _default_fits(self) -> "Parameter":
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"pattern {self.pattern!r} is not a regular expression: {error.msg}") from None
        if self.default is not None:
            self.checked("default", self.default)
        return self

    def checked(self, name: str, value: Any) -> int | str:
        """`value` if it fits this parameter.

        Raises:
            ValueError: says what would fit.
        """
        if self.type == "integer":
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"parameter {name} must be an integer, not {value!r}")
            if self.minimum is not None and value < self.minimum:
                raise ValueError(f"parameter {name} must be at least {self.minimum}, not {value}")
            if self.maximum is not None and value > self.maximum:
                raise ValueError(f"parameter {name} must be at most {self.maximum}, not {value}")
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # a shell does not say whether `alias=3` is a number
        if not isinstance(value, str) or len(value) > 256:
            raise ValueError(f"parameter {name} must be a text of at most 256 characters")
        if _CONTROL.search(value):
            raise ValueError(f"parameter {name} must be one line without control characters, not {value!r}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise ValueError(f"parameter {name} must match {self.pattern}, and {value!r} does not")
        return value


class MaxTargets(_Strict):
    count: int = Field(default=1, ge=1)
    percent: int = Field(default=10, ge=1, le=100)


class Targets(_Strict):
    """`type` is the CloudFormation type of what the playbook acts on.

    `only_allowed`: only what carries the tag `incidentio:automation` = `allowed`.
    """

    type: str
    only_allowed: bool = False
    max: MaxTargets = Field(default_factory=MaxTargets)


class Approval(_Strict):
    """On timeout: `escalate` tells the page topic and waits once more; then, or with `refuse`, the run is refused."""

    timeout: Duration = timedelta(minutes=10)
    on_timeout: Literal["refuse", "escalate"] = "refuse"
    note: str = ""


class Verify(_Strict):
    """Success is: every signal of the incident is ok `within` this time."""

    alarm: Literal["OK"] = "OK"
    within: Duration = timedelta(minutes=10)
    poll: Duration = timedelta(seconds=15)


class StopIf(_Strict):
    """Name of an alarm that, in ALARM, blocks further apply and rolls back."""

    alarm: str


class RateLimit(_Strict):
    """At most `runs` per target in `per`, and `cool_down` after each."""

    runs: int = Field(default=3, ge=1)
    per: Duration = timedelta(hours=1)
    cool_down: Duration = timedelta(seconds=0)


class Freeze(_Strict):
    """A daily UTC window, `HH:MM` to `HH:MM` on the named days, in which nothing new starts (an undo always may)."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = (
        "mon", "tue", "wed", "thu", "fri", "sat", "sun",
    )  # fmt: skip
    start: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    why: str = ""


class Revert(_Strict):
    """A successful change is borrowed: given back when the incident is resolved, `at_latest` this long after."""

    on: Literal["resolved"] = "resolved"
    at_latest: Duration = timedelta(hours=4)


class Playbook(_Strict):
    name: PlaybookName
    version: Version
    owner: str
    description: str = ""
    risk: Risk
    when: tuple[MatcherField, ...] = ()
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")], Parameter] = Field(default_factory=dict)
    targets: Targets
    approval: Approval = Field(default_factory=Approval)
    rate_limit: RateLimit = Field(default_factory=RateLimit)
    freeze: tuple[Freeze, ...] = ()
    written: tuple[Written, ...] = Field(min_length=1, alias="steps")
    """The steps as they are written; `blocks` is what they come down to."""
    verify: Verify | None = None
    stop_if: StopIf | None = None
    revert: Revert | None = None
    undoes_change: bool = False
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, serialize_by_alias=True)

    @model_validator(mode="after")
    def _references_hold(self) -> "Playbook":
        if not self.steps:
            raise ValueError("steps has no action: what people do and waits alone are a runbook")
        for leaf in self.leaves:
            for _, name in references(leaf.step):
                if name not in self.parameters:
                    known = ", ".join(sorted(self.parameters)) or "none"
                    hint = f" ({ITEM} has a meaning in foreach over values only)" if name == ITEM else ""
                    raise ValueError(f"step {leaf.n} uses ${{{name}}}: known parameters are {known}{hint}")
        return self

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """What it does, in order: steps with their numbers, and steps side by side."""
        return blocks(self.written, most_targets=self.targets.max.count)

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every step there may be, number n at n - 1."""
        return leaves_of(self.blocks)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The actions among them."""
        return tuple(leaf.step for leaf in self.leaves if isinstance(leaf.step, Step))

    @property
    def takes_targets(self) -> bool:
        """Whether one run may have several targets."""
        return any(isinstance(step, ForEach) and step.foreach == TARGETS for step in self.written)

    @property
    def definition_hash(self) -> str:
        """SHA-256 (hex, 16 characters) of the canonical definition and the compiler's version."""
        canonical = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
        return sha256(f"{COMPILER_VERSION}\n{canonical}".encode()).hexdigest()[:16]

    def bind(self, given: dict[str, Any]) -> dict[str, int | str]:
        """Parameter values for one run: defaults, overlaid with `given`.

        Raises:
            ValueError: an unknown, missing or unfitting parameter, with the valid ones.
        """
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            known = ", ".join(sorted(self.parameters)) or "none"
            raise ValueError(f"unknown parameter {unknown[0]}: {self.name} takes {known}")
        values: dict[str, int | str] = {}
        for name, parameter in self.parameters.items():
            value = given.get(name, parameter.default)
            if value is None:
                raise ValueError(f"parameter {name} is required")
            values[name] = parameter.checked(name, value)
        return values
