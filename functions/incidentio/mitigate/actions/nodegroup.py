"""`set-nodegroup-size`: run more (or fewer) nodes in an EKS managed node group, and raise its maximum where needed."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Reach,
    Statement,
    Value,
    refuse_system,
)
from incidentio.mitigate.actions.auto_scaling_group import capacity, group

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9][A-Za-z0-9_-]{0,62}"


class NodegroupSize(Parameters):
    add: int = Field(ge=-450, le=450, description="nodes to add; negative takes away")
    max: int = Field(ge=0, le=450, description="never more nodes than this; the group's maximum is raised up to it")

    @model_validator(mode="after")
    def _does_something(self) -> "NodegroupSize":
        if self.add == 0:
            raise ValueError("add must not be 0")
        return self


class SetNodegroupSize(Action[NodegroupSize]):
    """The value is the whole scaling configuration, `{"desired", "max", "min"}`, since EKS sets it as one.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html
    """

    name = "set-nodegroup-size"
    target_type = "AWS::EKS::Nodegroup"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = NodegroupSize

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                actions=("eks:DescribeNodegroup", "eks:UpdateNodegroupConfig"),
                resources=(place.arn("eks", "nodegroup/*/*/*"),),
            ),
            Statement(actions=("eks:ListNodegroups",), resources=(place.arn("eks", "cluster/*"),)),
            Statement(actions=("autoscaling:DescribeAutoScalingGroups",), resources=("*",)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"size of node group {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"node group {self.target}"

    @override
    def said(self, value: Value) -> str:
        return f"{value['desired']} nodes ({value['min']} to {value['max']})"

    @property
    def _which(self) -> dict[str, str]:
        cluster, _, name = self.target.partition("/")
        return {"clusterName": cluster, "nodegroupName": name}

    def _described(self, call: Call) -> dict[str, Any]:
        found: dict[str, Any] = call("eks", "describe_nodegroup", **self._which)["nodegroup"]
        return found

    @override
    def read(self, call: Call) -> Value:
        sizes = self._described(call)["scalingConfig"]
        return {name: int(sizes[f"{name}Size"]) for name in ("desired", "max", "min")}

    @override
    def wanted(self, before: Value) -> Value:
        now, add = before["desired"], self.given.add
        after = min(now + add, self.given.max) if add > 0 else max(now + add, before["min"])
        if (after - now) * add <= 0:
            raise Conflict(
                f"{self.subject} is {self.said(before)}: adding {add} has no room between its minimum and "
                f"max {self.given.max}"
            )
        return {**before, "desired": after, "max": max(before["max"], after)}

    @override
    def guard(self, call: Call, change: Change) -> None:
        now = self._described(call)
        refuse_system(self.resource, now.get("tags", {}))
        if now["status"] != "ACTIVE":
            raise Conflict(f"{self.resource} is {now['status']}: EKS changes the size of ACTIVE ones only")

    @override
    def reach(self, call: Call) -> Reach:
        """One node group, of as many as its cluster has."""
        count, more = 0, dict[str, Any]()
        while True:
            page = call("eks", "list_nodegroups", clusterName=self._which["clusterName"], **more)
            count += len(page.get("nodegroups", ()))
            if not (token := page.get("nextToken")):
                return Reach(targets=1, of=max(1, count))
            more = {"nextToken": token}

    @override
    def write(self, call: Call, value: Value) -> None:
        sizes = {f"{name}Size": value[name] for name in ("desired", "max", "min")}
        call("eks", "update_nodegroup_config", **self._which, scalingConfig=sizes)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        """EKS is done when its Auto Scaling groups have started the nodes; that they joined, Kubernetes alone knows."""
        now = self._described(call)
        if now["status"] == "UPDATING":
            return "EKS is still updating it"
        names = [g["name"] for g in (now.get("resources") or {}).get("autoScalingGroups", ())]
        running = sum(capacity(group(call, name), in_service=True) for name in names)
        return f"{running} of {value['desired']} nodes run so far" if running < value["desired"] else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        cluster, _, name = self.target.partition("/")
        which = (
            f"--cluster-name {shlex.quote(cluster)} --nodegroup-name {shlex.quote(name)} --region {self.place.region}"
        )

        def update(desired: Value, most: Value, least: Value) -> str:
            sizes = f"desiredSize={desired},maxSize={most},minSize={least}"
            return f"aws eks update-nodegroup-config {which} --scaling-config {sizes}"

        if change:
            before, after = change.before, change.after
            return Commands(
                do=(update(after["desired"], after["max"], after["min"]),),
                undo=(update(before["desired"], before["max"], before["min"]),),
            )
        look = f"aws eks describe-nodegroup {which} --query nodegroup.scalingConfig"
        now, most, least = (f"{keep}_{part}" for part in ("DESIRED", "MAX", "MIN"))
        asked = f"{now} + {self.given.add}"
        if self.given.add > 0:
            limit = self.given.max
            desired = f"$(({now} >= {limit} ? {now} : {asked} > {limit} ? {limit} : {asked}))"
        else:
            desired = f"$(({asked} < {least} ? {least} : {asked}))"
        after = f"{keep}_AFTER"
        return Commands(
            look=tuple(
                f"{variable}=$({look}.{field} --output text)"
                for variable, field in ((now, "desiredSize"), (most, "maxSize"), (least, "minSize"))
            ),
            do=(
                f"{after}={desired}",
                update(f"${after}", f"$(({most} > {after} ? {most} : {after}))", f"${least}"),
            ),
            undo=(update(f"${now}", f"${most}", f"${least}"),),
        )
