"""What mitigation needs of AWS beyond the table, as small protocols; `incidentio.aws` has the adapters."""

from collections.abc import Mapping
from typing import Any, Protocol


class Executions(Protocol):
    """The playbooks' state machines."""

    def start(self, playbook: str, name: str, given: Mapping[str, Any]) -> bool:
        """Start the machine of `playbook` under `name`. False: an execution of that name exists, which is as good.

        Raises:
            NotFound: the playbook has no machine (any more).
            Unavailable: try again later.
        """

    def status(self, playbook: str, name: str) -> str | None:
        """`RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`; None when there is no such execution."""

    def answer(self, token: str, output: Mapping[str, Any]) -> bool:
        """Let a waiting task go on. False: nobody waits on that token any more, which is harmless."""


class KillSwitch(Protocol):
    """The one parameter a person can set with plain `aws ssm put-parameter`."""

    def value(self) -> str:
        """Its text.

        Raises:
            NotFound: there is no such parameter. Forbidden, Unavailable: it cannot be read.
        """


class Alarms(Protocol):
    """CloudWatch alarms by name."""

    def state(self, name: str) -> str | None:
        """`OK`, `ALARM` or `INSUFFICIENT_DATA`; None when there is no such alarm.

        Raises:
            Unavailable: it cannot be read now.
        """
