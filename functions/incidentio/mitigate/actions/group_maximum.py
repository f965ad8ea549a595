"""`set-group-maximum`: never let an Auto Scaling group grow above this many instances."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field
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
from incidentio.mitigate.actions.maximum import lowered


class GroupMaximum(Parameters):
    value: int = Field(ge=0, le=10_000, description="instances the group may have at most")
    shrink: bool = Field(
        default=False, description="also terminate instances above it; else the cap is never below what runs"
    )


class SetGroupMaximum(OnGroup[GroupMaximum]):
    """The value is `{"max": n}`, and with `shrink` also `desired`, which AWS lowers to a maximum below it.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html
    """

    name = "set-group-maximum"
    parameters: ClassVar[type[Parameters]] = GroupMaximum

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return rights(place, "autoscaling:UpdateAutoScalingGroup")

    @property
    @override
    def subject(self) -> str:
        return f"maximum size of Auto Scaling group {self.target}"

    @override
    def said(self, value: Value) -> str:
        wanted = f" (wants {value['desired']} instances)" if "desired" in value else ""
        return f"{value['max']}{wanted}"

    @override
    def read(self, call: Call) -> Value:
        now = group(call, self.target)
        return {"max": int(now["MaxSize"])} | ({"desired": int(now["DesiredCapacity"])} if self.given.shrink else {})

    @override
    def wanted(self, before: Value) -> Value:
        return lowered(self.subject, before, self.given.value, shrink=self.given.shrink)

    @override
    def guard(self, call: Call, change: Change) -> None:
        now = group(call, self.target)
        refuse_owned(now)
        limit, least, running = int(change.after["max"]), int(now["MinSize"]), int(now["DesiredCapacity"])
        if limit < least:
            raise Conflict(
                f"{self.resource} keeps at least {least} instances: a maximum of {limit} would be below that; "
                f"use {least} or more"
            )
        if limit < running and not self.given.shrink:
            raise Conflict(
                f"{self.resource} wants {running} instances now: a maximum of {limit} would terminate "
                f"{running - limit} of them; use {running} or more, or shrink"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        desired = {"DesiredCapacity": value["desired"]} if "desired" in value else {}
        call(
            "autoscaling",
            "update_auto_scaling_group",
            AutoScalingGroupName=self.target,
            MaxSize=value["max"],
            **desired,
        )

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        left = capacity(group(call, self.target)) - int(value["max"])
        return f"{left} above it are still being terminated" if left > 0 else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        name = shlex.quote(self.target)
        update = (
            f"aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} --region {self.place.region}"
        )
        if change:
            return Commands(do=(update + _sizes(change.after),), undo=(update + _sizes(change.before),))
        look = (
            f"aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names {name} "
            f"--region {self.place.region} --output text --query 'AutoScalingGroups[0]."
        )
        sizes = [(keep, "MaxSize", "--max-size")]
        if self.given.shrink:
            sizes.append((f"{keep}_DESIRED", "DesiredCapacity", "--desired-capacity"))
        return Commands(
            look=tuple(f"{variable}=$({look}{field}')" for variable, field, _ in sizes),
            do=(f"{update} --max-size {self.given.value}",),
            undo=(" ".join([update, *(f'{option} "${variable}"' for variable, _, option in sizes)]),),
        )


def _sizes(value: Value) -> str:
    desired = f" --desired-capacity {value['desired']}" if "desired" in value else ""
    return f" --max-size {value['max']}{desired}"
