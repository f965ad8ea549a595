"""What happened, entry by entry, and whether it is still what was written."""

from incidentio.api.calls import Api
from incidentio.api.incident_views import Timeline, Verification
from incidentio.api.paging import Cursor, Limit, NextAlias, cursor_of
from incidentio.api.reading import timeline_page
from incidentio.api.routing import Routes
from incidentio.api.verifying import verify
from incidentio.api.why import WhyView, why


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/incidents/<incident_id>/timeline", summary="Read the timeline, oldest first", tags=["timeline"])
    def read_timeline(
        incident_id: str,
        limit: Limit = 100,
        cursor: Cursor = None,
        next: NextAlias = None,  # noqa: A002
    ) -> Timeline:
        return timeline_page(api.table, incident_id, limit=limit, cursor=cursor_of(cursor, next))

    @router.get("/incidents/<incident_id>/why", summary="Why was, or was not, somebody paged?", tags=["timeline"])
    def why_told(incident_id: str) -> WhyView:
        return why(api, incident_id)

    @router.get("/incidents/<incident_id>/verify", summary="Recompute the audit chain", tags=["timeline"])
    def verify_timeline(incident_id: str) -> Verification:
        return verify(api, incident_id)

    return router
