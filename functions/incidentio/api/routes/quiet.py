"""Silences and maintenance windows: what keeps people from being told, for a while and for a reason."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from incidentio.api import maintenance, silences
from incidentio.api.calls import Api
from incidentio.api.maintenance import MaintenanceList, MaintenanceView, NewMaintenance
from incidentio.api.routing import Routes
from incidentio.api.silences import NewSilence, SilenceList, SilenceView

_All = Annotated[bool, Query(alias="all", description="Those that are over as well, for 90 days.")]


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/silences", summary="List silences", tags=["quiet"])
    def list_silences(*, everything: _All = False) -> SilenceList:
        found = silences.listed(api, everything=everything)
        return SilenceList(items=[silences.view(silence, api) for silence in found])

    @router.post("/silences", summary="Silence what matches, for a while", tags=["quiet"], status_code=201)
    def create_silence(body: NewSilence) -> SilenceView:
        return silences.view(silences.create(api, router.call(), body), api)

    @router.post(
        "/silences/<silence_id>/expire",
        summary="End a silence now",
        description="What it held back and is still not acknowledged is told within a minute.",
        tags=["quiet"],
    )
    def expire_silence(silence_id: str) -> SilenceView:
        return silences.view(silences.expire(api, router.call(), silence_id), api)

    @router.get("/maintenance", summary="List maintenance windows", tags=["quiet"])
    def list_maintenance(*, everything: _All = False) -> MaintenanceList:
        return MaintenanceList(items=maintenance.listed(api, everything=everything))

    @router.post("/maintenance", summary="Plan a maintenance window", tags=["quiet"], status_code=201)
    def create_maintenance(body: NewMaintenance) -> MaintenanceView:
        return maintenance.view(maintenance.create(api, router.call(), body), api)

    @router.post(
        "/maintenance/<window_id>/end",
        summary="End a maintenance window now",
        description="A recurring one ends for good. What it held back and is still not acknowledged is told within a "
        "minute.",
        tags=["quiet"],
    )
    def end_maintenance(window_id: str) -> MaintenanceView:
        return maintenance.view(maintenance.end(api, router.call(), window_id), api)

    return router
