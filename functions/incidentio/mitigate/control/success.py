"""The success rate as a metric, each time a run that acted has ended."""

from incidentio.aws.observability import measure
from incidentio.core.signal import Kind
from incidentio.mitigate.control.desk import Desk, Request
from incidentio.mitigate.runs import load_run
from incidentio.mitigate.track_record import success_rate, tallies

ENDS = frozenset({"settle", "finish"})
"""The operations with which a run ends that may have changed something."""

_METRIC = "RunbookSuccessRate"


def report(desk: Desk, request: Request) -> None:
    """Emit the rate of the run's playbook, and that of its risk class, in percent.

    A repeated question emits it again: it is a gauge, and the same.
    """
    run = load_run(desk.table, request.incident_id, request.run_id)
    if run.kind is not Kind.REAL or run.dry_run:
        return
    counted = tallies(desk.table)
    for dimension, rate in (
        ({"playbook": run.playbook}, success_rate(t for t in counted if t.playbook == run.playbook)),
        ({"risk": run.risk.value}, success_rate(t for t in counted if t.risk == run.risk.value)),
    ):
        if rate is not None:
            measure(_METRIC, rate, unit="Percent", **dimension)
