"""A dry run: each step says what it would do, and nothing is changed."""

from typing import Any

from incidentio.core.incident import Incident
from incidentio.mitigate.control.conditions import would_be_unmet
from incidentio.mitigate.control.desk import Answer, Desk, Request
from incidentio.mitigate.control.steps import call_of
from incidentio.mitigate.run import Run, RunStep
from incidentio.mitigate.runs import Move, advance, ended, told


def plan(desk: Desk, request: Request) -> Answer:
    """Keep what the last step said it would do, and name the next action to ask; people and waits need no asking."""
    answer: Answer = {}

    def decide(incident: Incident, run: Run) -> Move | None:
        answer.clear()
        after, more = run, None
        if request.after and not _known(run, request.after):
            after = _with(run, run.step(request.after), request.planned or {})
        for step in run.steps[request.after :]:
            if why := would_be_unmet(run, step, incident):
                after = _with(after, step, {"summary": f"skipped: {why}", "do": [], "undo": []})
            elif step.kind == "action":
                more = step
                break
            else:
                after = _with(after, step, _without_asking(step))
        if run.finished:
            more = None
        call = call_of(run, more) if more else {"step": len(run.steps) + 1}
        answer.update(decision="plan" if more else "done", call=call)
        return _planned(desk, incident, after) if not more and not run.finished else Move(after)

    advance(desk.table, request.incident_id, request.run_id, decide)
    return answer


def _known(run: Run, n: int) -> bool:
    return any(row["step"] == n for row in run.plan)


def _with(run: Run, step: RunStep, told_of_it: dict[str, Any]) -> Run:
    if _known(run, step.n):
        return run
    row = {"step": step.n, **told_of_it}
    if step.conditions and "summary" in row and not str(row["summary"]).startswith("skipped"):
        row["summary"] = f"if {' and '.join(step.conditions)}: {row['summary']}"
    return run.having(plan=(*run.plan, row))


def _without_asking(step: RunStep) -> dict[str, Any]:
    if step.kind == "wait":
        return {"summary": f"wait {step.given['seconds']} s", "do": [], "undo": []}
    texts = {name: str(step.given.get(name, "")) for name in ("manual", "commands", "undo")}
    return {
        "summary": f"a person does this: {texts['manual']}",
        "do": texts["commands"].splitlines(),
        "undo": texts["undo"].splitlines(),
    }


def _planned(desk: Desk, incident: Incident, run: Run) -> Move:
    """The end of a dry run: `planned`, or `refused` when a step could not say what it would do."""
    now = desk.clock()
    wrong = "; ".join(str(step.get("summary") or "no answer") for step in run.plan if step.get("error"))
    after, writes = ended(desk.table, run, "refused" if wrong else "planned", at=now, reason=wrong)
    said = f"it would be refused: {wrong}" if wrong else "; ".join(str(s.get("summary", "")) for s in run.plan)
    commands = [line for step in run.plan for line in step.get("do", [])]
    undo = [line for step in reversed(run.plan) for line in step.get("undo", [])]
    change = told(
        incident,
        run,
        "PlaybookPlanned",
        at=now,
        text=f"dry run of {run.playbook} on {run.where}, nothing was changed: {said}",
        data={"do": commands, "undo": undo},
    )
    return Move(after, change, writes)
