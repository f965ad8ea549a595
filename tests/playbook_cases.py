"""`cases.yaml`: what a playbook promises, as named cases that run against the deployed app."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

ROOT = Path(__file__).resolve().parents[1]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class State(_Strict):
    """Values of the target and of what feeds it, as AWS tells them. What is not written is not looked at."""

    reserved_concurrency: int | None = None
    desired_count: int | None = None
    rule: Literal["ENABLED", "DISABLED"] | None = None
    schedule: Literal["ENABLED", "DISABLED"] | None = None

    def written(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in State.model_fields if name in self.model_fields_set}


class Given(State):
    """What is there before the run. A rule or schedule that is given is named to the playbook as a parameter."""

    tags: dict[str, str] = Field(default_factory=dict)


class When(_Strict):
    """One run: asked for by one person, approved by another where the risk asks for it."""

    parameters: dict[str, int | str] = Field(default_factory=dict)
    dry_run: bool = False
    meanwhile: State | None = None
    """What somebody else sets once the playbook has acted."""
    alarm: Literal["recovers", "keeps firing"] | None = None
    then: Literal["resolve"] | None = None


class Expect(_Strict):
    outcome: Literal["succeeded", "rolled_back", "refused", "planned"]
    applied: State | None = None
    """What AWS shows once the playbook has acted."""
    finally_: State = Field(alias="finally")
    """What AWS shows in the end."""
    entries: tuple[str, ...] = ()
    """Timeline entries there must be."""


class Case(_Strict):
    name: str
    given: Given
    when: When = When()
    expect: Expect

    @model_validator(mode="after")
    def _makes_sense(self) -> "Case":
        acts = self.expect.outcome in ("succeeded", "rolled_back")
        if acts != (self.expect.applied is not None):
            raise ValueError("`applied` is for runs that act, and those need it")
        if acts and self.when.alarm is None:
            raise ValueError("a run that acts needs to know what the alarm does")
        if not self.expect.finally_.written():
            raise ValueError("`finally` must say what AWS shows in the end")
        return self


def load_cases(playbook: str) -> list[Case]:
    written = yaml.safe_load((ROOT / "playbooks" / playbook / "cases.yaml").read_text())
    return [Case.model_validate(case) for case in written]


def playbooks() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "playbooks").glob("*/playbook.yaml"))
