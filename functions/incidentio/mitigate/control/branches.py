"""Steps side by side: a branch that cannot go on says so, and at the end all of them must be done."""

from incidentio.core.incident import Incident
from incidentio.core.redaction import redact
from incidentio.mitigate.control.caught import cause_of
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.run import DONE, Run
from incidentio.mitigate.runs import Move, advance


def halt(desk: Desk, request: Request) -> Answer:
    """A branch failed: why, so that no other begins a step. The first reason stays."""

    def decide(_incident: Incident, run: Run) -> Move | None:
        if run.status != "running" or run.reason:
            return None
        return Move(run.having(reason=redact(cause_of(request.error), limit=1000) or "one of its branches failed"))

    advance(desk.table, request.incident_id, request.run_id, decide)
    return {"decision": "halted"}


def join(desk: Desk, request: Request) -> Answer:
    """All branches have come to their end: `go` when every one of `steps` is done, else `stop`."""
    answer: Answer = {}

    def decide(_incident: Incident, run: Run) -> Move | None:
        answer.clear()
        left = [n for n in request.steps if run.step(n).status not in DONE]
        answer.update(decision="go" if run.status == "running" and not left and not run.reason else "stop")
        if run.status != "running" or run.reason or not left:
            return None
        return Move(run.having(reason=f"step {left[0]} did not come to an end"))

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer
