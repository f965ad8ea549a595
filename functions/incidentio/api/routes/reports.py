"""What the past says."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from incidentio.api.calls import Api
from incidentio.api.noise import noise_report
from incidentio.api.routing import Routes
from incidentio.api.views import NoiseReport

_Days = Annotated[int, Query(ge=1, le=90, description="How far to look back.")]
_Offset = Annotated[int, Query(ge=-840, le=840, description="Minutes east of UTC: where it is night from 22 to 7.")]


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/reports/noise", summary="How much each alarm disturbed, and what to change", tags=["reports"])
    def read_noise(days: _Days = 30, utc_offset: _Offset = 0) -> NoiseReport:
        return noise_report(api, days=days, utc_offset=utc_offset)

    return router
