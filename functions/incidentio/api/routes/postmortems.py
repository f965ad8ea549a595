"""The postmortem: read it, review it, or do without and say why."""

from incidentio.api import postmortems
from incidentio.api.calls import Api
from incidentio.api.incident_views import IncidentView, incident_view
from incidentio.api.requests import Review, Waiver
from incidentio.api.routing import Routes
from incidentio.api.views import PostmortemView


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/incidents/<incident_id>/postmortem", summary="Read the postmortem", tags=["postmortem"])
    def read_postmortem(incident_id: str) -> PostmortemView:
        return postmortems.read_postmortem(api, incident_id)

    @router.post(
        "/incidents/<incident_id>/postmortem/review",
        summary="Put the reviewed text on record, under a retention lock",
        tags=["postmortem"],
    )
    def review(incident_id: str, body: Review) -> IncidentView:
        return incident_view(postmortems.review(api, router.call(), incident_id, body.markdown))

    @router.post("/incidents/<incident_id>/postmortem/waive", summary="Do without, and say why", tags=["postmortem"])
    def waive(incident_id: str, body: Waiver) -> IncidentView:
        return incident_view(postmortems.waive(api, router.call(), incident_id, body.reason))

    return router
