"""The API's own description."""

import json
from functools import cache

from aws_lambda_powertools.event_handler.api_gateway import Response

from incidentio.api.calls import Api
from incidentio.api.resolver import Resolver
from incidentio.api.routing import Routes


def routes(api: Api) -> Routes:
    router = Routes(api)

    @cache
    def text() -> str:
        from incidentio.api.openapi import document  # noqa: PLC0415 - nobody else pays for it

        return json.dumps(document(Resolver(api).whole()), separators=(",", ":"))

    @router.get("/openapi.json", summary="This document", tags=["about"], include_in_schema=False)
    def openapi() -> Response[str]:
        return Response(status_code=200, content_type="application/json", body=text())

    return router
