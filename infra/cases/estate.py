"""What a playbook acts on in a case: made on the local target, looked at, and changed by somebody else."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Aws:
    """The account of the local target, as its owner. Everything an estate makes is named with `tag`."""

    client: Callable[[str], Any]
    tag: str
    account: str
    region: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


class Estate(ABC):
    """One target and what feeds it. Subclasses make it in `make` and say what AWS tells of it.

    `parameters` are what a run must be given so that it finds the rest (a rule's name); `dimensions` those of the alarm
    that is about the target: empty where no metric names it, and then a run is given `target`.
    """

    values: ClassVar[tuple[str, ...]]
    """The words of `given`, `applied`, `finally` and `meanwhile`."""
    example: ClassVar[str]
    """What a target of this kind is called, for pages and their tests: `checkout`, `shop/web`."""
    named: ClassVar[Mapping[str, str]] = {}
    """What a parameter that names a further resource and has no default may be, for pages and their tests."""
    stands_in: ClassVar[tuple[str, ...]] = ()
    """Operations that the emulator lacks, as `ec2.modify_instance_attribute`: the method of that name answers them.

    Such cases run on the emulator's ring only, where calls and answers are checked against botocore's models.
    """
    namespace: ClassVar[str] = ""
    metric: ClassVar[str] = ""

    def __init__(self, aws: Aws, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self.aws = aws
        self.parameters: dict[str, int | str] = {}
        self.make(given, tags)

    @abstractmethod
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        """Make the target with these tags, so that AWS shows what is `given`; what is not given is up to the estate."""

    def parameters_for(self, taken: Collection[str]) -> dict[str, int | str]:
        """Those of `parameters` that a playbook takes: an estate may be that of several."""
        return {name: value for name, value in self.parameters.items() if name in taken}

    @property
    @abstractmethod
    def target(self) -> str:
        """Its name, as a run is given it: a function's name, `cluster/service`, …"""

    @property
    def dimensions(self) -> dict[str, str]:
        return {}

    @abstractmethod
    def now(self, name: str) -> Any:
        """What AWS shows of the value `name`."""

    def set(self, name: str, value: Any) -> None:
        """Somebody else sets it."""
        raise NotImplementedError(f"nobody can set {name} in a case of {type(self).__name__}: to {value}")

    def leave(self) -> None:  # noqa: B027  (most leave nothing that others would meet)
        """Give back what other cases share, such as the account's pool of concurrency."""
