"""What a playbook does: actions, waits and what people do, one after the other, side by side, or for each of several.

However it is written, it comes down to `Leaf`s with numbers: everything that is not known before a run (conditions, how
many targets there are) makes a leaf be skipped, never another one appear. So a snapshot, a record and an undo belong to
one number, and the undo in reverse order is the numbers counted down.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from incidentio.core.duration import Duration
from incidentio.core.matchers import MatcherField

PARAMETER = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")
ITEM = "item"
"""`${item}`: what `foreach` is at."""
TARGETS = "targets"
"""`foreach: targets`: each target of the run."""

Value = int | str | bool
StepId = Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,30})?$")]


class _Step(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", defer_build=True, populate_by_name=True, serialize_by_alias=True
    )

    id: StepId = ""
    """What conditions of later steps call it."""
    if_: tuple[MatcherField, ...] = Field(default=(), alias="if")
    """Matchers that must all hold, or it is skipped: of parameters, labels of the incident, and steps before."""


class Step(_Step):
    """One action on the target."""

    action: str
    with_: dict[str, Value] = Field(default_factory=dict, alias="with")
    timeout: Duration = timedelta(seconds=30)
    retries: int = Field(default=4, ge=1, le=8)
    """How often a call that was throttled, or failed for the moment, is made again: later each time, with jitter."""

    def resolved(self, values: Mapping[str, int | str]) -> dict[str, Value]:
        """`with` for one run: `${name}` replaced by its value; alone, it keeps the value's type."""
        return {key: _filled(value, values) for key, value in self.with_.items()}


class Manual(_Step):
    """Something a person does and confirms; not confirmed in time, it counts as not done."""

    manual: str = Field(min_length=1, max_length=500)
    commands: tuple[str, ...] = ()
    """What may be pasted for it."""
    undo: tuple[str, ...] = ()
    """What may be pasted to undo it: nobody but a person can."""
    timeout: Duration = timedelta(minutes=30)

    @field_validator("commands", "undo")
    @classmethod
    def _quotes_are_ours(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            for found in PARAMETER.finditer(line):
                if _in_quotes(line[: found.start()]):
                    raise ValueError(f"write {found[0]} without quotes around it: what it stands for is quoted already")
        return lines

    def resolved(self, values: Mapping[str, int | str]) -> dict[str, Value]:
        """What a run remembers of it. Commands get pasted into a shell: there each value is one word."""
        return {
            "manual": str(_filled(self.manual, values)),
            "commands": "\n".join(_pasted(self.commands, values)),
            "undo": "\n".join(_pasted(self.undo, values)),
        }


class Wait(_Step):
    """Nothing, for a while; flags that stop the run are read meanwhile."""

    wait: Duration

    def resolved(self, _values: Mapping[str, int | str]) -> dict[str, Value]:
        return {"seconds": int(self.wait.total_seconds())}


def _kind(written: Any) -> str | None:
    keys = ("action", "manual", "wait", "parallel", "foreach")
    if isinstance(written, Mapping):
        return next((f"<{key}>" for key in keys if key in written), "<action>")
    return next((f"<{key}>" for key in keys if hasattr(written, key)), None)


Moment = Annotated[Annotated[Step, Tag("<action>")] | Annotated[Wait, Tag("<wait>")], Discriminator(_kind)]
Single = Annotated[
    Annotated[Step, Tag("<action>")] | Annotated[Manual, Tag("<manual>")] | Annotated[Wait, Tag("<wait>")],
    Discriminator(_kind),
]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Parallel(_Group):
    """Branches at the same time, each a list of steps. All come to their end before anything else happens."""

    parallel: tuple[Annotated[tuple[Moment, ...], Field(min_length=1)], ...] = Field(min_length=2, max_length=5)


class ForEach(_Group):
    """The same steps for one thing after the other: each target of the run, or each value written here."""

    foreach: Literal["targets"] | Annotated[tuple[int | str, ...], Field(min_length=1, max_length=20)]
    steps: tuple[Single, ...] = Field(min_length=1)


Written = Annotated[
    Annotated[Step, Tag("<action>")]
    | Annotated[Manual, Tag("<manual>")]
    | Annotated[Wait, Tag("<wait>")]
    | Annotated[Parallel, Tag("<parallel>")]
    | Annotated[ForEach, Tag("<foreach>")],
    Discriminator(_kind),
]


@dataclass(frozen=True)
class Leaf:
    """One thing to do. `target` counts from 0: which of the run's targets it acts on."""

    n: int
    step: Step | Manual | Wait
    target: int = 0
    at: tuple[int | str, ...] = ()
    """Where it is written, below `steps`."""

    @property
    def may_be_skipped(self) -> bool:
        return bool(self.step.if_) or self.target > 0


Block = Leaf | tuple[tuple[Leaf, ...], ...]
"""One leaf, or branches at the same time."""


def blocks(written: Sequence[Any], *, most_targets: int) -> tuple[Block, ...]:
    """What is written, unrolled and numbered from 1 in the order it is written."""
    numbered: list[Block] = []
    n = 0
    for block in _unrolled(written, most_targets):
        if isinstance(block, Leaf):
            n += 1
            numbered.append(replace(block, n=n))
            continue
        branches = []
        for branch in block:
            branches.append(tuple(replace(leaf, n=n + i) for i, leaf in enumerate(branch, start=1)))
            n += len(branch)
        numbered.append(tuple(branches))
    return tuple(numbered)


def leaves_of(found: Sequence[Block]) -> tuple[Leaf, ...]:
    """Every leaf, in order of its number."""
    return tuple(leaf for block in found for leaf in _leaves(block))


def _leaves(block: Block) -> Iterator[Leaf]:
    if isinstance(block, Leaf):
        yield block
    else:
        yield from (leaf for branch in block for leaf in branch)


def _unrolled(written: Sequence[Any], most_targets: int) -> Iterator[Block]:
    for number, step in enumerate(written):
        match step:
            case Parallel():
                yield tuple(
                    tuple(Leaf(0, each, at=(number, "parallel", b, i)) for i, each in enumerate(branch))
                    for b, branch in enumerate(step.parallel)
                )
            case ForEach(foreach="targets"):
                for target in range(most_targets):
                    for i, each in enumerate(step.steps):
                        yield Leaf(0, each, target=target, at=(number, "steps", i))
            case ForEach():
                for item in step.foreach:
                    for i, each in enumerate(step.steps):
                        yield Leaf(0, with_item(each, item), at=(number, "steps", i))
            case _:
                yield Leaf(0, step, at=(number,))


def with_item(step: Step | Manual | Wait, item: int | str) -> Step | Manual | Wait:
    """`step` with `${item}` replaced; alone, it keeps the item's type."""
    match step:
        case Step():
            return step.model_copy(update={"with_": {k: _filled(v, {ITEM: item}) for k, v in step.with_.items()}})
        case Manual():
            texts = {
                "manual": _filled(step.manual, {ITEM: item}),
                "commands": _pasted(step.commands, {ITEM: item}),
                "undo": _pasted(step.undo, {ITEM: item}),
            }
            return step.model_copy(update=texts)
        case Wait():
            return step


def references(step: Step | Manual | Wait) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """Each `${name}` of a step: where below it, and the name."""
    texts: dict[tuple[int | str, ...], Any] = {}
    if isinstance(step, Step):
        texts = {("with", key): value for key, value in step.with_.items()}
    elif isinstance(step, Manual):
        texts = {("manual",): step.manual}
        texts |= {("commands", i): line for i, line in enumerate(step.commands)}
        texts |= {("undo", i): line for i, line in enumerate(step.undo)}
    for at, text in texts.items():
        for name in PARAMETER.findall(str(text)):
            yield at, name


def _pasted(lines: Sequence[str], values: Mapping[str, int | str]) -> tuple[str, ...]:
    return tuple(
        PARAMETER.sub(lambda m: shlex.quote(str(values[m[1]])) if m[1] in values else m[0], line) for line in lines
    )


def _in_quotes(text: str) -> bool:
    """Whether a shell that has read `text` waits for a quote to close."""
    open_, escaped = "", False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and open_ != "'":
            escaped = True
        elif open_:
            open_ = "" if character == open_ else open_
        elif character in "'\"":
            open_ = character
    return bool(open_)


def _filled(text: Value, values: Mapping[str, int | str]) -> Any:
    if not isinstance(text, str):
        return text
    whole = PARAMETER.fullmatch(text)
    if whole:
        return values.get(whole[1], text)
    return PARAMETER.sub(lambda m: str(values.get(m[1], m[0])), text)
