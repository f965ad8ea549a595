"""The shape of an action: one value of one AWS resource, read, guarded and written.

Every action is a compare-and-set on a single value (a function's reserved concurrency, a
rule's state). A subclass says how to read, bound and write that value; `compare_and_set`
turns it into snapshot, apply, verify, rollback and plan, the same way for all.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from incidentio.core.errors import Forbidden

SYSTEM_TAG = "incidentio:system"
"""Resources that carry this tag, with whatever value, are ours and no action touches them."""

AUTOMATION_TAG = "incidentio:automation"
ALLOWED = "allowed"
"""What a team says about automation on one resource: any other value than this refuses all of it."""

_allowed: ContextVar[list[str] | None] = ContextVar("allowed", default=None)
"""While every resource must carry the tag: those seen to. None: it need not."""

Value = Any
"""What an action sets, as JSON; None is "not set". Two are the same when they are equal: so lists are kept sorted."""


class Call(Protocol):
    """One AWS API call: `call("lambda", "put_function_concurrency", FunctionName="f", …)`.

    The service `https` is everything else: `request` as `incidentio.aws.outbound` takes it, to what the deployment
    lists, and `eks_token` with `cluster`, which answers `token`.

    Raises errors of `incidentio.core.errors`; only `Unavailable` is worth another try.
    """

    def __call__(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Place:
    """Where the action function runs, and so the only place it acts in."""

    partition: str
    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Statement:
    """One IAM Allow statement."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    before: Value
    after: Value


@dataclass(frozen=True)
class Commands:
    """Plain shell lines: `look` remembers the value of now, `do` changes it, `undo` gives it back."""

    look: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reach:
    """How many targets one step touches, of how many there are: what the blast-radius limits compare."""

    targets: int
    of: int


class Parameters(BaseModel):
    """What a step may write under `with`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


P = TypeVar("P", bound=Parameters)


class Action(ABC, Generic[P]):
    """One action, bound to one target's name, its parameters and a place."""

    name: ClassVar[str]
    target_type: ClassVar[str | None]
    """CloudFormation type of the target it acts on; None when its parameters name the resource."""
    target_pattern: ClassVar[str] = r".{1,512}"
    """What a target's name looks like, as a regular expression for the whole of it."""
    parameters: ClassVar[type[Parameters]]
    changes: ClassVar[bool] = True
    """False: it only looks, and `facts` is what it finds."""
    one_way: ClassVar[str] = ""
    """Why it cannot be undone and what a person may do instead; empty: it can."""
    parts: ClassVar[bool] = False
    """True: the value is an object whose members are set one by one (`parts.py`); `write` gets those to set."""
    seen_late: ClassVar[bool] = False
    """True: AWS shows what was written a while later, so to an undo the value of before may be that of a moment ago."""
    undoes_change: ClassVar[bool] = False
    """True: it takes back what somebody deployed or configured, and a playbook with it says so to the gate."""

    def __init__(self, *, target: str, given: P, place: Place) -> None:
        self.target = target
        self.given = given
        self.place = place
        self.only_allowed = False
        """Whether what it changes must carry the tag that allows it."""

    @classmethod
    @abstractmethod
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        """The exact IAM rights a step needs.

        `given` is the step's `with` as written, `${…}` included: what is a literal narrows the resource.
        """

    def skipped(self) -> str | None:
        """Why there is nothing to do at all (an optional name left empty), or None."""
        return None

    @property
    @abstractmethod
    def subject(self) -> str:
        """What is changed, for people: `reserved concurrency of function checkout`."""

    @property
    def resource(self) -> str:
        """What must exist for that, for people: `function checkout`."""
        return self.subject

    def said(self, value: Value) -> str:
        """`value` for people."""
        return "unset" if value is None else str(value)

    @abstractmethod
    def read(self, call: Call) -> Value:
        """The value in AWS now.

        Raises:
            NotFound: the resource does not exist.
        """

    @abstractmethod
    def wanted(self, before: Value) -> Value:
        """The value to set, seeing what is there before.

        Raises:
            Conflict: the bounds leave nothing useful to do.
        """

    @abstractmethod
    def guard(self, call: Call, change: Change) -> None:
        """Refuse what must not be changed: system resources, and changes that harm their neighbours.

        Raises:
            Forbidden: a resource of incidentio itself.
            Conflict: the change would reach further than it may.
        """

    def reach(self, call: Call) -> Reach:  # noqa: ARG002  (a resource named by parameter is one of one)
        return Reach(targets=1, of=1)

    @abstractmethod
    def write(self, call: Call, value: Value) -> None:
        """Set the value."""

    def facts(self, call: Call) -> tuple[str, ...]:  # noqa: ARG002  (who changes a value reports that value)
        """What was found, a sentence each."""
        return ()

    def pending(self, call: Call, value: Value) -> str | None:  # noqa: ARG002  (most values hold at once)
        """What still has to happen before `value`, once set, is in effect; None when it is."""
        return None

    def halt(self, call: Call, value: Value) -> None:
        """Keep what was begun from going on, where it cannot be undone (`one_way`)."""

    @abstractmethod
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        """The same as `aws` commands.

        Without a `change` nobody has looked yet: the commands then keep what is there in the shell
        variable `keep` before they act.
        """


class Look(Action[P]):
    """An action that changes nothing: subclasses say what they find (`facts`) and how a person would (`commands`)."""

    changes = False

    @override
    def read(self, call: Call) -> Value:
        return None

    @override
    def wanted(self, before: Value) -> Value:
        return None

    @override
    def guard(self, call: Call, change: Change) -> None:
        """Looking harms nobody, and what is ours may be looked at too."""

    @override
    def write(self, call: Call, value: Value) -> None:
        raise NotImplementedError(f"{self.name} only looks")


@contextmanager
def only_allowed(what: str) -> Iterator[None]:
    """Within this, `refuse_system` refuses what does not carry `incidentio:automation` = `allowed`, and must be asked.

    Raises:
        Forbidden: nobody looked at any tags, so nobody knows what they say about `what`.
    """
    seen: list[str] = []
    token = _allowed.set(seen)
    try:
        yield
    finally:
        _allowed.reset(token)
    if not seen:
        raise Forbidden(
            f"the tags of {what} are not known, and only what carries {AUTOMATION_TAG}={ALLOWED} may be changed"
        )


def refuse_system(subject: str, tags: Mapping[str, str]) -> None:
    """Raise Forbidden when the resource is one of ours, or its tags say that automation may not touch it."""
    said, seen = tags.get(AUTOMATION_TAG), _allowed.get()
    if said not in (None, ALLOWED):
        raise Forbidden(
            f"{subject} carries the tag {AUTOMATION_TAG}={said}: automation leaves it alone unless that is {ALLOWED}"
        )
    if seen is not None and said is None:
        raise Forbidden(f"{subject} does not carry the tag {AUTOMATION_TAG}={ALLOWED}, which is required here")
    if seen is not None:
        seen.append(subject)
    if SYSTEM_TAG in tags:
        raise Forbidden(f"{subject} carries the tag {SYSTEM_TAG}: playbooks never act on incidentio itself")
