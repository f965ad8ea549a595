"""`throttle-usage-plan`: let each API key of one usage plan make fewer requests of a REST API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
"""

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)
from incidentio.mitigate.actions.literal import literal
from incidentio.mitigate.actions.rest_api import STAGE, StageName, management_arn
from incidentio.mitigate.actions.throttle import Throttle, lower_in_shell, lowered, number, said, throttle


class UsagePlanThrottle(Throttle):
    usage_plan: Annotated[str, Field(pattern=r"^[a-z0-9]{0,32}$", description="id of the plan; empty skips")]
    api_id: Annotated[str, Field(pattern=r"^[a-z0-9]{0,32}$", description="where several APIs share the name")] = ""
    max_stages: int = Field(default=1, ge=1, le=100, description="refuse a plan that covers more stages than this")


class ThrottleUsagePlan(Action[UsagePlanThrottle]):
    name = "throttle-usage-plan"
    target_type = "AWS::ApiGateway::Stage"
    target_pattern = STAGE
    parameters: ClassVar[type[Parameters]] = UsagePlanThrottle

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        plan = management_arn(place, f"/usageplans/{literal(given.get('usage_plan'), '*')}")
        return (
            Statement(actions=("apigateway:GET",), resources=(management_arn(place, "/restapis"),)),
            Statement(actions=("apigateway:GET", "apigateway:PATCH"), resources=(plan,)),
        )

    @override
    def skipped(self) -> str | None:
        return None if self.given.usage_plan else "no usage plan was named: none is limited"

    @property
    @override
    def subject(self) -> str:
        return f"limit of usage plan {self.given.usage_plan}"

    @property
    @override
    def resource(self) -> str:
        return f"usage plan {self.given.usage_plan}"

    @override
    def said(self, value: Value) -> str:
        return said(value)

    def _plan(self, call: Call) -> dict[str, Any]:
        return call("apigateway", "get_usage_plan", usagePlanId=self.given.usage_plan)

    @override
    def read(self, call: Call) -> Value:
        limits = self._plan(call).get("throttle") or {}
        return throttle(limits.get("rateLimit"), limits.get("burstLimit"))

    @override
    def wanted(self, before: Value) -> Value:
        return lowered(self.subject, before, self.given)

    @override
    def guard(self, call: Call, change: Change) -> None:
        """A plan's limit holds for every stage it covers: so it must cover the target and few others."""
        plan = self._plan(call)
        refuse_system(self.resource, plan.get("tags") or {})
        stage = StageName.of(self.target, self.given.api_id, self.place)
        api_id = stage.api_found(call)
        covered = {(s.get("apiId"), s.get("stage")) for s in plan.get("apiStages") or ()}
        if (api_id, stage.stage) not in covered:
            raise Conflict(f"{self.resource} does not cover stage {self.target}: limiting it would not help there")
        if len(covered) > self.given.max_stages:
            raise Conflict(
                f"{self.resource} covers {len(covered)} stages, and at most {self.given.max_stages} may be limited "
                "with it: limit the stage instead, or raise max_stages"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        if value is None:
            patch = [{"op": "remove", "path": "/throttle"}]
        else:
            patch = [
                {"op": "replace", "path": f"/throttle/{name}Limit", "value": number(value[name] or 0)}
                for name in ("rate", "burst")
            ]
        call("apigateway", "update_usage_plan", usagePlanId=self.given.usage_plan, patchOperations=patch)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = f"--usage-plan-id {shlex.quote(self.given.usage_plan)} --region {self.place.region}"
        update = f"aws apigateway update-usage-plan {which} --patch-operations"
        remove = f"{update} op=remove,path=/throttle"

        def put(rate: str, burst: str) -> str:
            return (
                f'{update} "op=replace,path=/throttle/rateLimit,value={rate}" '
                f'"op=replace,path=/throttle/burstLimit,value={burst}"'
            )

        def back(value: Value) -> str:
            return remove if value is None else put(number(value["rate"] or 0), number(value["burst"] or 0))

        if change:
            return Commands(do=(back(change.after),), undo=(back(change.before),))
        look = f"aws apigateway get-usage-plan {which} --query 'throttle.[rateLimit, burstLimit]' --output text"
        undo = f'if [ "${keep}" = None ]; then {remove}; else set -- ${keep}; {put("$1", "$2")}; fi'
        do = f"{lower_in_shell(keep, self.given)}; {put('$rate', '$burst')}"
        return Commands(look=(f"{keep}=$({look})",), do=(do,), undo=(undo,))
