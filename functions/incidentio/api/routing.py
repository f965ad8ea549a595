"""A Powertools Router that knows what the routes need."""

from typing import cast

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from incidentio.api.calls import Api, Call, call_of


class Routes(Router):
    def __init__(self, api: Api) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._api = api

    def call(self) -> Call:
        """Who makes the present write, when, and on which version.

        Raises:
            Forbidden, InvalidInput: see `call_of`.
        """
        return call_of(cast("APIGatewayProxyEvent", self.current_event), self._api.clock())
