"""Maintenance windows over the API: what a request may say, what is kept, and what the answer shows."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from incidentio.api import texts
from incidentio.api.calls import Api, Call, reused
from incidentio.api.requests import Body, Moment, Name, Text
from incidentio.api.silences import Everything, Matchers, RuleMode, keep, matchers_of, new_id
from incidentio.api.views import Next, Shown, View
from incidentio.core import quiet
from incidentio.core.duration import format_duration
from incidentio.core.errors import Conflict, InvalidInput, NotFound
from incidentio.core.maintenance import Maintenance, Window
from incidentio.core.recurrence import Unusable
from incidentio.core.redaction import redact
from incidentio.core.signal import Mode

_REASON_BYTES = 500


class NewMaintenance(Body):
    """One-off: `starts_at` and `ends_at`. Recurring: `rrule`, `duration` and `timezone`."""

    name: Name
    matchers: Matchers = Field(default_factory=list)
    everything: Everything = False
    reason: Text
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    rrule: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        default=None, description="RFC 5545, such as FREQ=WEEKLY;BYDAY=SU;BYHOUR=2;BYMINUTE=0."
    )
    duration: Annotated[str, StringConstraints(max_length=40)] | None = None
    timezone: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "UTC"
    mode: RuleMode = Mode.LIVE


class MaintenanceView(View):
    """`until` is the end of the window that is open now, `next_starts_at` the start of the next one.

    A `broken` one cannot be evaluated and holds nothing back; `problem` says why. End it and make another.
    """

    id: str
    name: str
    state: Literal["pending", "active", "ended", "broken"]
    source: Literal["api", "catalogue"]
    mode: Mode
    matchers: list[str]
    author: str
    reason: str
    starts_at: Shown | None
    ends_at: Shown | None
    rrule: str | None
    duration: str | None
    timezone: str
    until: Shown | None
    next_starts_at: Shown | None
    problem: str | None
    ended_at: Shown | None
    ended_by: str | None


class MaintenanceList(View):
    items: list[MaintenanceView]
    next: Next = None


def create(api: Api, call: Call, wanted: NewMaintenance) -> Window:
    """Keep a new window; the same `Idempotency-Key` again is the same window.

    Raises:
        InvalidInput: a matcher, name, time, rule or reason is wrong, or it would match every incident.
        Conflict: the key belongs to another request, or there are too many already.
    """
    given = wanted.model_dump(exclude={"matchers", "reason"}, exclude_none=True)
    given["matchers"] = matchers_of(wanted.matchers, everything=wanted.everything)
    given["reason"] = redact(texts.required(wanted.reason, field="reason"), limit=_REASON_BYTES)
    try:
        maintenance = Maintenance.model_validate({**given, "author": call.actor.id})
        maintenance.check()
    except ValidationError as error:
        raise InvalidInput("; ".join(_said(e) for e in error.errors(include_url=False))) from None
    except ValueError as error:
        raise InvalidInput(str(error), field="rrule") from None
    window = Window(id=new_id("MNT", call.key), created_at=call.at, maintenance=maintenance)
    if window.state(call.at) == "ended":
        raise InvalidInput("it is over before it begins: no window opens from now on", field="ends_at")
    kept = keep(api, call, window)
    if not isinstance(kept, Window):
        raise reused()
    return kept


def listed(api: Api, *, everything: bool) -> list[MaintenanceView]:
    """Those that are open or will be, of the catalogue too; or all of the last 90 days."""
    made = [view(w, api) for w in quiet.all_kept(api.table, "MNT-") if isinstance(w, Window)]
    known = [_catalogued(m, api.clock()) for m in api.bundle.catalog.routing.maintenance]
    wanted = [v for v in [*made, *known] if everything or v.state != "ended"]
    return sorted(wanted, key=lambda v: ({"broken": 0, "active": 1, "pending": 2}.get(v.state, 3), v.id))


def end(api: Api, call: Call, window_id: str) -> Window:
    """End it now, and the following ones of a recurring window too. Ending it twice is ending it once.

    Raises:
        NotFound: there is no such window. Conflict: it is in the catalogue.
    """
    if any(window.name == window_id for window in api.bundle.catalog.routing.maintenance):
        raise Conflict(f"{window_id} is in routing.yaml: take it away there and deploy")
    id = window_id.strip().upper()
    ended = quiet.end(api.table, id, by=call.actor.id, at=call.at)
    if not isinstance(ended, Window):
        raise NotFound(f"{id[:40]} is a silence: expire it")
    return ended


def view(window: Window, api: Api) -> MaintenanceView:
    shown = _shown(window.maintenance, api.clock(), over=window.ended_at is not None)
    own = {"id": window.id, "source": "api", "ended_at": window.ended_at, "ended_by": window.ended_by}
    return MaintenanceView.model_validate({**shown, **own})


def _catalogued(maintenance: Maintenance, at: datetime) -> MaintenanceView:
    own = {"id": maintenance.name, "source": "catalogue", "ended_at": None, "ended_by": None}
    return MaintenanceView.model_validate({**_shown(maintenance, at, over=False), **own})


def _shown(maintenance: Maintenance, at: datetime, *, over: bool) -> dict[str, Any]:
    kept = {"name", "mode", "author", "reason", "starts_at", "ends_at", "rrule", "timezone"}
    now = following = problem = None
    try:
        now = None if over else maintenance.open_at(at)
        following = None if over else maintenance.next_start(at)
    except Unusable as error:
        problem = str(error)
    return {
        **maintenance.model_dump(include=kept),
        "matchers": [str(m) for m in maintenance.matchers],
        "duration": format_duration(maintenance.duration) if maintenance.duration else None,
        "state": "broken" if problem else "active" if now else "pending" if following else "ended",
        "until": now[1] if now else None,
        "next_starts_at": following,
        "problem": problem,
    }


def _said(error: Any) -> str:
    at = ".".join(str(part) for part in error["loc"])
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{at}: {said}" if at else said
