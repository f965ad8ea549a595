"""What the state machine sends an action function, and the one answer it gets."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from incidentio.core.errors import Forbidden, IncidentioError, InvalidInput
from incidentio.mitigate.actions import compare_and_set
from incidentio.mitigate.actions.action import Call, Place
from incidentio.mitigate.actions.registry import prepared

Op = Literal["snapshot", "apply", "verify", "rollback", "plan"]

_NOTHING: dict[Op, dict[str, Any]] = {
    "snapshot": {"snapshot": None, "targets": 0, "of": 0},
    "apply": {"applied": False, "before": None, "after": None},
    "verify": {"verified": False},
    "rollback": {"result": "failed", "now": None},
    "plan": {"before": None, "after": None, "do": [], "undo": []},
}
"""The answer of each operation that did not happen, so that a state machine always finds the same fields."""


class Request(BaseModel):
    """One operation on one step. `with` holds resolved values; `target` is `type|account|region|name`."""

    model_config = ConfigDict(frozen=True)

    op: Op
    run_id: str
    step: int
    action: str
    with_: dict[str, int | str | bool] = Field(default_factory=dict, alias="with")
    target: str
    snapshot: dict[str, Any] | None = None
    only_allowed: bool = False
    redriven: bool = False
    """Whether the execution had ended and was told to go on: by then the run may be undone and its lock another's."""
    first: bool = False
    """Whether this is the first try of a task: what became of one before it may not be known."""


def parse_request(event: Any) -> Request:
    """Raises InvalidInput, naming each wrong field."""
    try:
        return Request.model_validate(event)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise InvalidInput(f"not a request for an action: {wrong}") from None


def answer(request: Request, *, call: Call, place: Place) -> dict[str, Any]:
    """Do what was asked.

    A problem another try will not solve is told as data (`error: {code, message}`), so that the run can roll
    back and say why. A refused apply is `certain` when no try before it can have begun anything.

    Raises:
        Unavailable: AWS throttled or failed; the same request may be sent again.
    """
    try:
        if request.redriven and request.op == "apply":
            raise Forbidden(
                "this execution was redriven, and what its run had checked is no longer true: nothing is changed. "
                "Ask for a new run instead"
            )
        action = prepared(request.action, request.with_, request.target, place)
        action.only_allowed = request.only_allowed and action.changes
        match request.op:
            case "snapshot":
                return compare_and_set.snapshot(action, call)
            case "apply":
                return compare_and_set.apply(action, call, request.snapshot)
            case "verify":
                return compare_and_set.verify(action, call, request.snapshot)
            case "rollback":
                return compare_and_set.rollback(action, call, request.snapshot)
            case "plan":
                return compare_and_set.plan(action, call)
    except compare_and_set.EXPECTED as error:
        certain = {"certain": request.first and not request.redriven} if request.op == "apply" else {}
        return _NOTHING[request.op] | {"summary": error.message, "error": _told(error)} | certain


def _told(error: IncidentioError) -> dict[str, str]:
    return {"code": error.code, "message": error.message}
