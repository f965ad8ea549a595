"""`raise-control-plane-tier`: give the control plane of an EKS cluster a larger scaling tier."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

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
from incidentio.mitigate.actions.eks_cluster import NAME, cluster, updates

TIERS = ("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl")
"""Smallest first. https://docs.aws.amazon.com/eks/latest/APIReference/API_ControlPlaneScalingConfig.html"""

_UPDATES = 20


class ControlPlaneTier(Parameters):
    tier: Literal["tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"] = Field(description="tier to have at least")


class RaiseControlPlaneTier(Action[ControlPlaneTier]):
    """While an update is under way its tier is the value: EKS has taken it, and an undo must see it."""

    name = "raise-control-plane-tier"
    target_type = "AWS::EKS::Cluster"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = ControlPlaneTier

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        actions = ("DescribeCluster", "DescribeUpdate", "ListUpdates", "UpdateClusterConfig")
        return (
            Statement(actions=tuple(f"eks:{action}" for action in actions), resources=(place.arn("eks", "cluster/*"),)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"control plane tier of cluster {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"cluster {self.target}"

    @override
    def read(self, call: Call) -> Value:
        now = cluster(call, self.target)
        if now["status"] == "UPDATING" and (coming := self._coming(call)):
            return coming
        return str((now.get("controlPlaneScalingConfig") or {}).get("tier", "standard"))

    def _coming(self, call: Call) -> str | None:
        for update in updates(call, self.target, most=_UPDATES):
            if update["type"] == "ControlPlaneScalingConfigUpdate" and update["status"] == "InProgress":
                return next((str(p["value"]) for p in update.get("params", ()) if p["type"] == "UpdatedTier"), None)
        return None

    @override
    def wanted(self, before: Value) -> Value:
        if before in TIERS and TIERS.index(before) >= TIERS.index(self.given.tier):
            raise Conflict(f"{self.subject} is {before} already: {self.given.tier} would not raise it")
        return self.given.tier

    @override
    def guard(self, call: Call, change: Change) -> None:
        now = cluster(call, self.target)
        refuse_system(self.resource, now.get("tags", {}))
        if now["status"] != "ACTIVE":
            raise Conflict(f"{self.resource} is {now['status']}: EKS takes one update at a time, of an ACTIVE cluster")

    @override
    def write(self, call: Call, value: Value) -> None:
        call("eks", "update_cluster_config", name=self.target, controlPlaneScalingConfig={"tier": value})

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        status = cluster(call, self.target)["status"]
        return "EKS is still updating it" if status == "UPDATING" else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = f"--name {shlex.quote(self.target)} --region {self.place.region}"

        def update(tier: str) -> str:
            return f"aws eks update-cluster-config {which} --control-plane-scaling-config tier={tier}"

        if change:
            return Commands(do=(update(change.after),), undo=(update(change.before),))
        query = 'cluster.controlPlaneScalingConfig.tier || `"standard"`'
        look = f"aws eks describe-cluster {which} --query '{query}' --output text"
        return Commands(look=(f"{keep}=$({look})",), do=(update(self.given.tier),), undo=(update(f'"${keep}"'),))
