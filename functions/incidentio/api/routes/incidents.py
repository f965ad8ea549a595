"""Opening, listing, reading and correcting incidents."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from incidentio.api.calls import Api
from incidentio.api.changing import change
from incidentio.api.editing import corrected
from incidentio.api.findings import findings_of
from incidentio.api.incident_views import IncidentList, IncidentView, incident_view
from incidentio.api.opening import open_incident
from incidentio.api.paging import Cursor, Limit, NextAlias, cursor_of
from incidentio.api.reading import children_of, runs_of
from incidentio.api.requests import Corrections, NewIncident
from incidentio.api.routing import Routes
from incidentio.api.signals import card_of, incident_of_signal
from incidentio.core.errors import InvalidInput
from incidentio.core.ids import parse_incident_id
from incidentio.core.ports import Filters
from incidentio.core.severity import parse_severity

_Filter = Annotated[str | None, Query(max_length=64)]


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/incidents", summary="List incidents, newest first", tags=["incidents"])
    def list_incidents(
        *,
        status: Annotated[str | None, Query(description="`open`, or one status.", max_length=64)] = None,
        service: _Filter = None,
        severity: _Filter = None,
        kind: _Filter = None,
        environment: _Filter = None,
        signal: Annotated[
            str | None,
            Query(description="A dedup key or an alarm: only the incident it went to.", min_length=1, max_length=1024),
        ] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
        next: NextAlias = None,  # noqa: A002
    ) -> IncidentList:
        filters = Filters(
            status=status,
            service=service,
            severity=parse_severity(severity).value if severity else None,
            kind=kind,
            environment=environment,
        )
        if signal is not None:
            if filters != Filters() or cursor or next:
                raise InvalidInput("`signal` asks for the one incident it went to: no other filter goes with it")
            incident = incident_of_signal(api, signal)
            return IncidentList.model_validate({"items": [card_of(incident)] if incident else [], "next": None})
        page = api.table.page(filters, limit=limit, cursor=cursor_of(cursor, next))
        return IncidentList.model_validate({"items": page.items, "next": page.next})

    @router.post("/incidents", summary="Open an incident", tags=["incidents"], status_code=201)
    def create_incident(body: NewIncident) -> IncidentView:
        incident = open_incident(api, router.call(), body)
        return incident_view(incident, findings=findings_of(api, incident))

    @router.get("/incidents/<incident_id>", summary="Read one incident", tags=["incidents"])
    def read_incident(incident_id: str) -> IncidentView:
        incident = api.table.incident(parse_incident_id(incident_id))
        runs, children = runs_of(api.table, incident), children_of(api.table, incident)
        return incident_view(incident, runs, findings_of(api, incident), children)

    @router.patch("/incidents/<incident_id>", summary="Correct an incident", tags=["incidents"])
    def correct_incident(incident_id: str, body: Corrections) -> IncidentView:
        call = router.call()
        incident = change(api, call, incident_id, lambda incident: corrected(incident, call, body))
        return incident_view(incident, findings=findings_of(api, incident))

    return router
