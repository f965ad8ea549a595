"""Merging two incidents into one, and splitting a signal off."""

from incidentio.api import grouping
from incidentio.api.calls import Api
from incidentio.api.incident_views import IncidentView, incident_view
from incidentio.api.requests import Merge, Split
from incidentio.api.routing import Routes


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.post("/incidents/<incident_id>/merge", summary="It is the same incident as another", tags=["grouping"])
    def merge(incident_id: str, body: Merge) -> IncidentView:
        return incident_view(grouping.merge(api, router.call(), incident_id, into=body.into, note=body.note))

    @router.post(
        "/incidents/<incident_id>/split",
        summary="Make one signal an incident of its own",
        tags=["grouping"],
        status_code=201,
        response_description="The new incident",
    )
    def split(incident_id: str, body: Split) -> IncidentView:
        return incident_view(grouping.split(api, router.call(), incident_id, dedup_key=body.dedup_key, note=body.note))

    return router
