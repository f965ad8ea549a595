"""What the conductor works with, and how executions of one run are named."""

from dataclasses import dataclass

from incidentio.core.bundle import Bundle
from incidentio.core.ports import Clock, Table
from incidentio.mitigate.ports import Executions
from incidentio.mitigate.run import Run


@dataclass(frozen=True)
class Score:
    """The ports, bound once per process. `account` and `region` are ours."""

    table: Table
    bundle: Bundle
    executions: Executions
    clock: Clock
    account: str
    region: str


def recovery_name(run: Run, number: int) -> str:
    """Recovery 0 is the run's own execution."""
    return f"{run.run_id}-recover-{number}" if number else run.run_id


def revert_name(run: Run, number: int) -> str:
    return f"{run.run_id}-revert-{number}"


def run_id_of(execution: str) -> str:
    """`RUN-7K3F9A-0123ABCD-revert-2` → `RUN-7K3F9A-0123ABCD`."""
    return "-".join(execution.split("-")[:3])
