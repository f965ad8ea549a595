"""Telling a waiting machine that people have decided. The token alone travels to Step Functions."""

from collections.abc import Mapping
from typing import Any

from incidentio.core.events import DomainEvent
from incidentio.mitigate.conduct.score import Score
from incidentio.mitigate.keys import approval_key
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import runs_of


def answer_decided(score: Score, event: DomainEvent) -> None:
    """ApprovalDecided: let the machine go on to its second gate, which reads the decision itself."""
    body = score.table.get(approval_key(event.incident_id, str(event.data["approval_id"])))
    if body is not None and body["status"] in ("approved", "rejected"):
        _answer(score, body)


def answer_if_decided(score: Score, run: Run) -> None:
    """The sweep: for a decision whose event was lost, or that crossed with a new token."""
    body = _approval(score, run)
    if body is not None and body["status"] != "pending":
        _answer(score, body)


def withdraw_waiting(score: Score, incident_id: str) -> None:
    """The incident is over: machines that wait for people need not; they find that nothing may go on."""
    for run in runs_of(score.table, incident_id):
        body = _approval(score, run)
        if body is not None:
            _answer(score, body)


def _approval(score: Score, run: Run) -> Mapping[str, Any] | None:
    return score.table.get(approval_key(run.incident_id, run.waits_for)) if run.waits_for else None


def _answer(score: Score, body: Mapping[str, Any]) -> None:
    score.executions.answer(str(body["token"]), {"status": str(body["status"])})
