"""What changed in the estate, for people who look for a cause."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from incidentio.api.calls import Api
from incidentio.api.deploying import record_deploy
from incidentio.api.paging import Limit
from incidentio.api.requests import NewDeploy
from incidentio.api.routing import Routes
from incidentio.api.views import ChangeList, ChangeView, change_view
from incidentio.core.changes import KEPT, changes_of

_OF_NOBODY = "Whose changes; left out, those of no service in the catalogue."


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/deploys", summary="List the changes of a service, newest first", tags=["deploys"])
    def list_deploys(
        *,
        service: Annotated[str | None, Query(max_length=64, description=_OF_NOBODY)] = None,
        limit: Limit = 50,
    ) -> ChangeList:
        found = changes_of(api.table, service, since=api.clock() - KEPT, limit=limit)
        return ChangeList(items=[change_view(change) for change in found], next=None)

    @router.post("/deploys", summary="Tell of a deploy", tags=["deploys"], status_code=201)
    def create_deploy(body: NewDeploy) -> ChangeView:
        return change_view(record_deploy(api, router.call(), body))

    return router
