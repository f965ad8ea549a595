"""`cases.yaml`: what a playbook promises, as named cases that run against the deployed app."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from incidentio.core.errors import InvalidInput
from incidentio.core.mistakes import in_words
from incidentio.core.playbook import Parameter
from infra.located_yaml import Location, Unreadable, read, shown
from infra.model_fields import keys_at

ROOT = Path(__file__).resolve().parents[2]
_GUIDE = "docs/write-a-playbook.md"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


State = dict[str, Any]
"""Values of the target and of what feeds it, as AWS tells them: words of its estate. Others are not looked at."""


class When(_Strict):
    """One run: asked for by one person, approved by others where the risk asks for it."""

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
    finally_: State = Field(alias="finally", min_length=1)
    """What AWS shows in the end."""
    entries: tuple[str, ...] = ()
    """Timeline entries there must be."""


class Case(_Strict):
    name: str
    given: State = Field(default_factory=dict, description="What is there before the run.")
    tags: dict[str, str] = Field(default_factory=dict, description="Those of the target.")
    when: When = When()
    expect: Expect

    @model_validator(mode="after")
    def _makes_sense(self) -> "Case":
        acts = self.expect.outcome in ("succeeded", "rolled_back")
        if acts and self.expect.applied is None:
            raise ValueError("expect.applied is required: a run that acts must say what AWS shows while it holds")
        if self.expect.applied and not acts:
            raise ValueError(f"expect.applied must go: a run that is {self.expect.outcome} changes nothing")
        if acts and self.when.alarm is None:
            raise ValueError("when.alarm is required: a run that acts needs to know what the alarm does")
        return self


_CASES = TypeAdapter(list[Case])


def load_cases(
    playbook: str,
    folder: Path = ROOT / "playbooks",
    *,
    words: Collection[str] = (),
    takes: Mapping[str, Parameter] | None = None,
) -> list[Case]:
    """The cases of one playbook. `words` are those its estate knows, `takes` its parameters; none: all are taken.

    Raises:
        InvalidInput: there are none, or some are wrong; one mistake a line, with file and line.
    """
    path = folder / playbook / "cases.yaml"
    if not path.is_file():
        raise InvalidInput(f"{shown(path)}: there is no such file: a playbook's cases are described in {_GUIDE}")
    try:
        document = read(path)
    except Unreadable as error:
        raise InvalidInput(str(error)) from None
    if not isinstance(document.data, list) or not document.data:
        raise InvalidInput(str(document.problem((), f"expected a list of cases: see {_GUIDE}")))
    try:
        cases = _CASES.validate_python(document.data)
    except ValidationError as error:
        told = sorted(document.problem(e["loc"], _text(e)) for e in error.errors(include_url=False))
        raise InvalidInput("\n".join(map(str, told))) from None
    found = [*(_unknown(cases, words) if words else ()), *(_unfit(cases, takes) if takes is not None else ())]
    if found:
        raise InvalidInput("\n".join(str(problem) for problem in sorted(document.problem(*each) for each in found)))
    return cases


def _unfit(cases: Sequence[Case], takes: Mapping[str, Parameter]) -> Iterator[tuple[Location, str]]:
    """Parameters that no run could be asked for with."""
    for n, case in enumerate(cases):
        for name, value in case.when.parameters.items():
            at = (n, "when", "parameters", name)
            if name not in takes:
                yield at, f"unknown parameter: the playbook takes {', '.join(sorted(takes)) or 'none'}"
                continue
            try:
                takes[name].checked(name, value)
            except ValueError as error:
                yield at, str(error)


def _unknown(cases: Sequence[Case], words: Collection[str]) -> Iterator[tuple[Location, str]]:
    for n, case in enumerate(cases):
        states: dict[tuple[str, ...], State | None] = {
            ("given",): case.given,
            ("when", "meanwhile"): case.when.meanwhile,
            ("expect", "applied"): case.expect.applied,
            ("expect", "finally"): case.expect.finally_,
        }
        for at, state in states.items():
            for name in state or ():
                if name not in words:
                    yield (n, *at, name), f"unknown value: valid are {', '.join(sorted(words))}"


def load_page(playbook: str, folder: Path = ROOT / "playbooks") -> str:
    """The README of one playbook.

    Raises:
        InvalidInput: there is none.
    """
    path = folder / playbook / "README.md"
    if not path.is_file():
        raise InvalidInput(f"{shown(path)}: there is no such file: what it must hold is described in {_GUIDE}")
    return path.read_text()


def playbooks() -> list[str]:
    """The names of those we ship; what begins with an underscore is a skeleton."""
    return sorted(path.parent.name for path in (ROOT / "playbooks").glob("[!_]*/playbook.yaml"))


def _text(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        valid = keys_at(Case, error["loc"][1:-1])
        return f"unknown key: valid are {', '.join(valid)}" if valid else "unknown key"
    return in_words([error])
