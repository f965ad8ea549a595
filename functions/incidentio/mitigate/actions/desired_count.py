"""`set-desired-count`: run more (or fewer) tasks of an ECS service, inside bounds."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import (
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
)
from incidentio.mitigate.actions.ecs_service import OnService, active_service, refuse_ours, rights


class DesiredCount(Parameters):
    """Either `value` or `add`; the result always stays between `min` and `max`."""

    value: int | None = Field(default=None, ge=0, le=5_000, description="tasks to run")
    add: int | None = Field(default=None, ge=-5_000, le=5_000, description="tasks to add; negative takes away")
    min: int = Field(default=1, ge=0, le=5_000, description="never fewer tasks than this")
    max: int = Field(ge=0, le=5_000, description="never more tasks than this")

    @model_validator(mode="after")
    def _one_of_them(self) -> "DesiredCount":
        if (self.value is None) == (self.add is None):
            raise ValueError("give either value or add")
        if self.min > self.max:
            raise ValueError(f"min {self.min} is more than max {self.max}")
        if self.value is not None and not self.min <= self.value <= self.max:
            raise ValueError(f"value {self.value} is outside min {self.min} and max {self.max}")
        return self


class SetDesiredCount(OnService[DesiredCount]):
    name = "set-desired-count"
    parameters: ClassVar[type[Parameters]] = DesiredCount

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return rights(place, "ecs:DescribeServices", "ecs:UpdateService")

    @property
    @override
    def subject(self) -> str:
        return f"desired count of service {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"active service {self.service} in cluster {self.cluster}"

    @override
    def read(self, call: Call) -> Value:
        return int(active_service(call, self.target)["desiredCount"])

    @override
    def wanted(self, before: Value) -> Value:
        if self.given.value is not None:
            return self.given.value
        now, add = int(before or 0), self.given.add or 0
        bounded = max(self.given.min, min(self.given.max, now + add))
        if (bounded - now) * add <= 0:
            raise Conflict(
                f"{self.subject} is {now}: adding {add} has no room between "
                f"min {self.given.min} and max {self.given.max}"
            )
        return bounded

    @override
    def guard(self, call: Call, change: Change) -> None:
        described = active_service(call, self.target)
        refuse_ours(self.target, described)
        if described.get("schedulingStrategy") == "DAEMON":
            raise Conflict(f"service {self.target} runs one task per host (DAEMON): it has no desired count to set")

    @override
    def write(self, call: Call, value: Value) -> None:
        call("ecs", "update_service", cluster=self.cluster, service=self.service, desiredCount=value)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        running = int(active_service(call, self.target).get("runningCount", 0))
        return f"{running} of {value} tasks run so far" if running < int(value or 0) else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        cluster, service = shlex.quote(self.cluster), shlex.quote(self.service)
        where = f"--cluster {cluster} --region {self.place.region}"

        def update(count: Value) -> str:
            return f"aws ecs update-service {where} --service {service} --desired-count {count}"

        if change:
            return Commands(do=(update(change.after),), undo=(update(change.before),))
        look = (
            f"aws ecs describe-services {where} --services {service} --query 'services[0].desiredCount' --output text"
        )
        return Commands(look=(f"{keep}=$({look})",), do=(update(self._in_shell(keep)),), undo=(update(f'"${keep}"'),))

    def _in_shell(self, keep: str) -> str:
        """The count to set, as POSIX shell arithmetic where it is relative."""
        if self.given.value is not None:
            return str(self.given.value)
        low, high, add = self.given.min, self.given.max, self.given.add
        asked = f"{keep} + {add}"
        if (add or 0) > 0:
            return f"$(({keep} >= {high} ? {keep} : {asked} > {high} ? {high} : {asked} < {low} ? {low} : {asked}))"
        return f"$(({keep} <= {low} ? {keep} : {asked} < {low} ? {low} : {asked} > {high} ? {high} : {asked}))"
