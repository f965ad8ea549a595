"""A REST API of API Gateway and one of its stages, found by the names that CloudWatch knows.

The dimension `ApiName` of its metrics is the API's name and not its id, and names need not be unique:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

import shlex
from dataclasses import dataclass
from typing import Any

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import Call, Place, Statement

STAGE = r"[^/\n]{1,128}/[A-Za-z0-9_-]{1,128}"
"""A target `api/stage`, the API by its name."""


@dataclass(frozen=True)
class StageName:
    """`api_id` is empty unless the caller knows it."""

    api: str
    stage: str
    api_id: str
    place: Place

    @classmethod
    def of(cls, target: str, api_id: str, place: Place) -> "StageName":
        api, _, stage = target.rpartition("/")
        return cls(api, stage, api_id, place)

    def api_found(self, call: Call) -> str:
        """The API's id.

        Raises:
            NotFound: no API has this name (or this id).
            Conflict: several have it.
        """
        found: list[str] = []
        position: dict[str, str] = {}
        while True:
            page = call("apigateway", "get_rest_apis", limit=500, **position)
            found += [a["id"] for a in page.get("items", ()) if a.get("name") == self.api]
            if not page.get("position"):
                break
            position = {"position": page["position"]}
        if self.api_id and self.api_id not in found:
            raise NotFound(f"there is no REST API {self.api} with id {self.api_id}")
        if not found:
            raise NotFound(f"there is no REST API {self.api}")
        if len(found) > 1 and not self.api_id:
            raise Conflict(f"several REST APIs are called {self.api}: say which by api_id ({', '.join(sorted(found))})")
        return self.api_id or found[0]

    def described(self, call: Call) -> dict[str, Any]:
        """The stage as GetStage tells it, with `restApiId`."""
        api_id = self.api_found(call)
        stage = call("apigateway", "get_stage", restApiId=api_id, stageName=self.stage)
        return {**stage, "restApiId": api_id}

    @property
    def id_in_shell(self) -> str:
        if self.api_id:
            return self.api_id
        query = shlex.quote(f"items[?name=='{self.api}'].id")
        return f'"$(aws apigateway get-rest-apis --region {self.place.region} --query {query} --output text)"'


def management_arn(place: Place, path: str) -> str:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html"""
    return f"arn:{place.partition}:apigateway:{place.region}::{path}"


def finding(place: Place, api_id: str = "*", stage: str = "*") -> tuple[Statement, ...]:
    """The rights to find and read a stage."""
    return (
        Statement(
            actions=("apigateway:GET",),
            resources=(
                management_arn(place, "/restapis"),
                management_arn(place, f"/restapis/{api_id}/stages/{stage}"),
            ),
        ),
    )
