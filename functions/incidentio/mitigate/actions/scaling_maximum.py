"""`set-scaling-maximum`: never let the scaling of an ECS service go above this many tasks."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import (
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)
from incidentio.mitigate.actions.ecs_service import OnService, active_service, refuse_ours, rights
from incidentio.mitigate.actions.maximum import lowered

_OURS = "incidentio:"
_DIMENSION = "ecs:service:DesiredCount"
_LOOK, _LOOK_AND_SET = ("ecs:DescribeServices",), ("ecs:DescribeServices", "ecs:UpdateService")


class ScalingMaximum(Parameters):
    value: int = Field(ge=0, le=5_000, description="tasks the service may scale to at most")
    shrink: bool = Field(default=False, description="also stop tasks above it; else the cap is never below what runs")


class SetScalingMaximum(OnService[ScalingMaximum]):
    """The value is `{"max": n}`, and with `shrink` also `desired`: AWS lowers the desired count to a maximum below it.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    """

    name = "set-scaling-maximum"
    parameters: ClassVar[type[Parameters]] = ScalingMaximum
    parts = True

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        tasks = _LOOK if given.get("shrink", False) is False else _LOOK_AND_SET
        return (
            Statement(actions=("application-autoscaling:DescribeScalableTargets",), resources=("*",)),
            Statement(
                actions=(
                    "application-autoscaling:ListTagsForResource",
                    "application-autoscaling:RegisterScalableTarget",
                ),
                resources=(place.arn("application-autoscaling", "scalable-target/*"),),
            ),
            *rights(place, *tasks),
        )

    @property
    @override
    def subject(self) -> str:
        return f"scaling maximum of service {self.target}"

    @override
    def said(self, value: Value) -> str:
        wanted = f"wants {value['desired']} tasks" if "desired" in value else ""
        if "max" not in value:
            return wanted
        return f"{value['max']} ({wanted})" if wanted else str(value["max"])

    @property
    def _which(self) -> dict[str, str]:
        return {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/{self.target}",
            "ScalableDimension": _DIMENSION,
        }

    def _limits(self, call: Call) -> dict[str, Any]:
        found: list[dict[str, Any]] = call(
            "application-autoscaling",
            "describe_scalable_targets",
            ServiceNamespace="ecs",
            ResourceIds=[f"service/{self.target}"],
            ScalableDimension=_DIMENSION,
        ).get("ScalableTargets", [])
        if not found:
            raise NotFound(f"nothing scales service {self.target} by itself: set its desired count instead")
        return found[0]

    @override
    def read(self, call: Call) -> Value:
        limits = {"max": int(self._limits(call)["MaxCapacity"])}
        return limits | ({"desired": self._desired(call)} if self.given.shrink else {})

    def _desired(self, call: Call) -> int:
        return int(active_service(call, self.target)["desiredCount"])

    @override
    def wanted(self, before: Value) -> Value:
        return lowered(self.subject, before, self.given.value, shrink=self.given.shrink)

    @override
    def guard(self, call: Call, change: Change) -> None:
        limits, described = self._limits(call), active_service(call, self.target)
        refuse_ours(self.target, described)
        if arn := limits.get("ScalableTargetARN"):
            tags = call("application-autoscaling", "list_tags_for_resource", ResourceARN=arn).get("Tags", {})
            # The service says whether automation may touch it; what scales it is asked only where it says something.
            if any(tag.startswith(_OURS) for tag in tags):
                refuse_system(f"scaling of service {self.target}", tags)
        limit, least, wants = int(change.after["max"]), int(limits["MinCapacity"]), int(described["desiredCount"])
        if limit < least:
            raise Conflict(
                f"service {self.target} scales to at least {least} tasks: a maximum of {limit} would be below that; "
                f"use {least} or more"
            )
        if limit < wants and not self.given.shrink:
            raise Conflict(
                f"service {self.target} wants {wants} tasks now: a maximum of {limit} would stop {wants - limit} of "
                f"them; use {wants} or more, or shrink"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        """One call on the way down, since AWS lowers the count itself; a second one to give tasks back."""
        if "max" in value:
            call("application-autoscaling", "register_scalable_target", **self._which, MaxCapacity=value["max"])
        if self._desired(call) < value.get("desired", 0):
            call("ecs", "update_service", cluster=self.cluster, service=self.service, desiredCount=value["desired"])

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        left = int(active_service(call, self.target).get("runningCount", 0)) - int(value["max"])
        return f"{left} tasks above it still run" if left > 0 else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = (
            f"--service-namespace ecs --resource-id {shlex.quote(f'service/{self.target}')} "
            f"--scalable-dimension {_DIMENSION} --region {self.place.region}"
        )
        register = f"aws application-autoscaling register-scalable-target {which} --max-capacity"
        if change:
            return Commands(
                do=(f"{register} {change.after['max']}",),
                undo=(f"{register} {change.before['max']}", *self._tasks_again(change.before)),
            )
        ids = which.replace("--resource-id ", "--resource-ids ", 1)
        look = f"aws application-autoscaling describe-scalable-targets {ids}"
        return Commands(
            look=(f"{keep}=$({look} --query 'ScalableTargets[0].MaxCapacity' --output text)",),
            do=(f"{register} {self.given.value}",),
            undo=(f'{register} "${keep}"',),
        )

    def _tasks_again(self, before: Value) -> tuple[str, ...]:
        if "desired" not in before:
            return ()
        cluster, service = shlex.quote(self.cluster), shlex.quote(self.service)
        which = f"--cluster {cluster} --service {service} --region {self.place.region}"
        return (f"aws ecs update-service {which} --desired-count {before['desired']}",)
