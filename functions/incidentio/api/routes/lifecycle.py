"""Moving an incident through its lifecycle."""

from collections.abc import Callable
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from incidentio.api import texts
from incidentio.api.calls import Api, Call
from incidentio.api.changing import change
from incidentio.api.ending import closed, ended, reopened
from incidentio.api.incident_views import IncidentView, incident_view
from incidentio.api.requests import Cancellation, Remark, Resolution
from incidentio.api.routing import Routes
from incidentio.core import lifecycle
from incidentio.core.amend import Decision
from incidentio.core.incident import Incident
from incidentio.core.redaction import redact

_NOTHING_SAID = Remark()


def routes(api: Api) -> Routes:
    router = Routes(api)

    def move(incident_id: str, decide: Callable[[Incident, Call], Decision]) -> IncidentView:
        call = router.call()
        return incident_view(change(api, call, incident_id, lambda incident: decide(incident, call)))

    @router.post("/incidents/<incident_id>/acknowledge", summary="Take it: repeated pages stop", tags=["lifecycle"])
    def acknowledge(incident_id: str, body: Annotated[Remark, Body()] = _NOTHING_SAID) -> IncidentView:
        note = texts.note(body.note)
        return move(incident_id, lambda i, call: lifecycle.acknowledge(i, actor=call.actor, at=call.at, note=note))

    @router.post("/incidents/<incident_id>/mitigate", summary="Impact has stopped", tags=["lifecycle"])
    def mitigate(incident_id: str, body: Annotated[Remark, Body()] = _NOTHING_SAID) -> IncidentView:
        note = texts.note(body.note)
        return move(incident_id, lambda i, call: lifecycle.mitigate(i, actor=call.actor, at=call.at, note=note))

    @router.post("/incidents/<incident_id>/resolve", summary="It is over", tags=["lifecycle"])
    def resolve(incident_id: str, body: Annotated[Resolution, Body()] = Resolution()) -> IncidentView:  # noqa: B008
        note = texts.note(body.note)
        reason = redact(body.reason, limit=400) if body.reason else None
        return move(
            incident_id,
            lambda i, call: ended(
                api.table, lifecycle.resolve(i, actor=call.actor, at=call.at, note=note, reason=reason), call.at
            ),
        )

    @router.post("/incidents/<incident_id>/close", summary="Nothing is owed any more", tags=["lifecycle"])
    def close(incident_id: str, body: Annotated[Remark, Body()] = _NOTHING_SAID) -> IncidentView:
        note = texts.note(body.note)
        return move(
            incident_id,
            lambda i, call: closed(lifecycle.close(i, actor=call.actor, at=call.at, note=note), call.at),
        )

    @router.post("/incidents/<incident_id>/cancel", summary="It was no incident", tags=["lifecycle"])
    def cancel(incident_id: str, body: Cancellation) -> IncidentView:
        note = texts.note(body.note)
        return move(
            incident_id,
            lambda i, call: ended(
                api.table,
                lifecycle.cancel(i, actor=call.actor, at=call.at, reason=body.reason, note=note),
                call.at,
            ),
        )

    @router.post("/incidents/<incident_id>/reopen", summary="It is not over after all", tags=["lifecycle"])
    def reopen(incident_id: str, body: Annotated[Remark, Body()] = _NOTHING_SAID) -> IncidentView:
        note = texts.note(body.note)
        window = api.bundle.catalog.routing.reopen_window
        return move(incident_id, lambda i, call: reopened(api.table, i, call, window=window, note=note))

    return router
