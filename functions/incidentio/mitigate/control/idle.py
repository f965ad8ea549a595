"""A wait between steps: the flags that stop a run are read meanwhile."""

from incidentio.core.incident import Incident
from incidentio.core.redaction import redact
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import Move, advance


def idle(desk: Desk, request: Request) -> Answer:
    """`again` until the `last` time, then `go`; `stop` as soon as something says so."""
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        if run.status != "running" or run.reason:
            answer.update(decision="stop")
            return None
        if run.step(request.step).status == "done":
            answer.update(decision="go")
            return None
        why = desk.over(incident) or desk.stopped(incident, run) or desk.alarm_stops(run.playbook)
        if why:
            answer.update(decision="stop")
            return Move(run.having(reason=redact(why, limit=1000)))
        answer.update(decision="go" if request.last else "again")
        if not request.last:
            return None
        seconds = run.step(request.step).given.get("seconds")
        return Move(run.with_step(request.step, status="done", summary=f"waited {seconds} s"))

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer
