"""A stage of a REST API of API Gateway, and a usage plan that covers it where a case names one."""

import contextlib
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

Limit = Any
"""`[rate, burst]`, or null: no limit of its own."""


class ApiStage(Estate):
    """Limits as `[rate, burst]` (null: none): `stage_limit`, `method_limit` of `GET /pets`, `plan_limit`; `logging`."""

    values = ("logging", "method_limit", "plan_limit", "stage_limit", "twins")
    example = "shop/live"
    namespace, metric = "AWS/ApiGateway", "5XXError"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        gateway = self.aws.client("apigateway")
        apis = [gateway.create_rest_api(name=self._name)["id"] for _ in range(1 + given.get("twins", 0))]
        self._api = apis[0]
        deployment = gateway.create_deployment(restApiId=self._api)["id"]
        gateway.create_stage(restApiId=self._api, stageName="live", deploymentId=deployment, tags=dict(tags))
        if "plan_limit" in given:
            self._plan = self.parameters["usage_plan"] = self._made_plan(given["plan_limit"])
        for name in ("logging", "stage_limit", "method_limit"):
            if given.get(name) is not None:
                self.set(name, given[name])

    def _made_plan(self, limit: Limit) -> str:
        throttle = {} if limit is None else {"throttle": {"rateLimit": limit[0], "burstLimit": limit[1]}}
        covered = [{"apiId": self._api, "stage": "live"}]
        plan = self.aws.client("apigateway").create_usage_plan(name=self._name, apiStages=covered, **throttle)
        return str(plan["id"])

    @property
    @override
    def target(self) -> str:
        return f"{self._name}/live"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"ApiName": self._name, "Stage": "live"}

    @override
    def now(self, name: str) -> Any:
        gateway = self.aws.client("apigateway")
        match name:
            case "plan_limit":
                throttle = gateway.get_usage_plan(usagePlanId=self._plan).get("throttle") or {}
                return [float(throttle["rateLimit"]), int(throttle["burstLimit"])] if throttle else None
            case "twins":
                found = gateway.get_rest_apis(limit=500)["items"]
                return sum(api["name"] == self._name for api in found) - 1
        settings = gateway.get_stage(restApiId=self._api, stageName="live").get("methodSettings", {})
        every = {key.strip("/"): block for key, block in settings.items()}
        block = every.get("pets/GET" if name == "method_limit" else "*/*")
        if block is None:
            return None
        if name == "logging":
            return block["loggingLevel"]
        return [float(block["throttlingRateLimit"]), int(block["throttlingBurstLimit"])]

    @override
    def set(self, name: str, value: Any) -> None:
        gateway = self.aws.client("apigateway")
        if name == "plan_limit":
            patch = _limits("/throttle/rateLimit", "/throttle/burstLimit", value)
            gateway.update_usage_plan(usagePlanId=self._plan, patchOperations=patch)
            return
        if name == "logging":
            patch = [{"op": "replace", "path": "/*/*/logging/loglevel", "value": value}]
        else:
            where = "/~1pets/GET" if name == "method_limit" else "/*/*"
            patch = _limits(f"{where}/throttling/rateLimit", f"{where}/throttling/burstLimit", value)
        gateway.update_stage(restApiId=self._api, stageName="live", patchOperations=patch)

    @override
    def leave(self) -> None:
        gateway = self.aws.client("apigateway")
        with contextlib.suppress(gateway.exceptions.NotFoundException):
            gateway.delete_rest_api(restApiId=self._api)

    @property
    def _name(self) -> str:
        return f"shop-{self.aws.tag}"


def _limits(rate: str, burst: str, value: Limit) -> list[dict[str, str]]:
    return [
        {"op": "replace", "path": path, "value": str(number)} for path, number in zip((rate, burst), value, strict=True)
    ]
