"""Every operation a state machine may ask for, by name."""

from collections.abc import Callable, Mapping

from incidentio.core.errors import InvalidInput
from incidentio.mitigate.control.ask import ask
from incidentio.mitigate.control.branches import halt, join
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.finish import finish
from incidentio.mitigate.control.gate import gate
from incidentio.mitigate.control.idle import idle
from incidentio.mitigate.control.locks import lock
from incidentio.mitigate.control.manual import answered, manual
from incidentio.mitigate.control.plan import plan
from incidentio.mitigate.control.steps import begin, keep, record
from incidentio.mitigate.control.undo import resume, stop, undo, undone
from incidentio.mitigate.control.watch import settle, watch

OPERATIONS: Mapping[str, Callable[[Desk, Request], Answer]] = {
    operation.__name__: operation
    for operation in (
        gate, ask, lock, begin, keep, record, manual, answered, idle, halt, join, plan, watch, settle,
        stop, resume, undo, undone, finish,
    )
}  # fmt: skip


def operate(desk: Desk, request: Request) -> Answer:
    """Do what the state machine asked. Asking again gives the same answer and writes nothing more.

    Raises:
        InvalidInput: there is no such operation; names the valid ones.
        NotFound: no such run or incident.
        Unavailable: trouble that may pass.
    """
    if request.op not in OPERATIONS:
        raise InvalidInput(f"unknown operation {request.op!r}: valid are {', '.join(sorted(OPERATIONS))}")
    return OPERATIONS[request.op](desk, request)
