"""`set-group-capacity`: run more (or fewer) instances of an Auto Scaling group, inside its own bounds."""

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
from incidentio.mitigate.actions.auto_scaling_group import OnGroup, capacity, group, refuse_owned, rights


class GroupCapacity(Parameters):
    add: int = Field(ge=-1_000, le=1_000, description="instances to add; negative takes away")
    max: int = Field(ge=0, le=10_000, description="never more instances than this, nor than the group's own maximum")

    @model_validator(mode="after")
    def _does_something(self) -> "GroupCapacity":
        if self.add == 0:
            raise ValueError("add must not be 0")
        return self


class SetGroupCapacity(OnGroup[GroupCapacity]):
    name = "set-group-capacity"
    parameters: ClassVar[type[Parameters]] = GroupCapacity

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return rights(place, "autoscaling:SetDesiredCapacity")

    @property
    @override
    def subject(self) -> str:
        return f"desired capacity of Auto Scaling group {self.target}"

    @override
    def read(self, call: Call) -> Value:
        return int(group(call, self.target)["DesiredCapacity"])

    @override
    def wanted(self, before: Value) -> Value:
        after = max(0, before + self.given.add)
        if self.given.add > 0:
            after = min(after, self.given.max)
        if (after - before) * self.given.add <= 0:
            raise Conflict(
                f"{self.subject} is {before}: adding {self.given.add} has no room below max {self.given.max}"
            )
        return after

    @override
    def guard(self, call: Call, change: Change) -> None:
        """AWS refuses a capacity outside the group's bounds; saying so first, nothing has begun."""
        now = group(call, self.target)
        refuse_owned(now)
        least, most, after = int(now["MinSize"]), int(now["MaxSize"]), int(change.after)
        if not least <= after <= most:
            raise Conflict(
                f"{self.resource} has between {least} and {most} instances and wants {change.before}: {after} is "
                f"outside; use add between {least - change.before} and {most - change.before}, or raise its maximum"
            )
        halted = {p["ProcessName"] for p in now.get("SuspendedProcesses", ())}
        if stopped := halted & {"Launch" if after > change.before else "Terminate"}:
            raise Conflict(f"{self.resource} has its {stopped.pop()} process suspended: it would not change its size")

    @override
    def write(self, call: Call, value: Value) -> None:
        call("autoscaling", "set_desired_capacity", AutoScalingGroupName=self.target, DesiredCapacity=value)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        running = capacity(group(call, self.target), in_service=True)
        return f"{running} of {value} are in service so far" if running < int(value) else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = f"--auto-scaling-group-name {shlex.quote(self.target)} --region {self.place.region}"

        def set_to(wanted: Value) -> str:
            return f"aws autoscaling set-desired-capacity {which} --desired-capacity {wanted}"

        if change:
            return Commands(do=(set_to(change.after),), undo=(set_to(change.before),))
        look = (
            f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {shlex.quote(self.target)} "
            f"--region {self.place.region} --query 'AutoScalingGroups[0].DesiredCapacity' --output text"
        )
        asked, most = f"{keep} + {self.given.add}", self.given.max
        if self.given.add > 0:
            shell = f"$(({keep} >= {most} ? {keep} : {asked} > {most} ? {most} : {asked}))"
        else:
            shell = f"$(({asked} < 0 ? 0 : {asked}))"
        return Commands(look=(f"{keep}=$({look})",), do=(set_to(shell),), undo=(set_to(f'"${keep}"'),))
