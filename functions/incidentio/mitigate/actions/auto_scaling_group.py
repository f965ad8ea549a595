"""An Auto Scaling group as actions see it: found by name, with what says whether it may be touched."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import Action, Call, P, Place, Reach, Statement, refuse_system

NAME = r"[A-Za-z0-9][A-Za-z0-9_.:/ +=@-]{0,254}"

OWNED_BY_TAG: Mapping[str, str] = {
    "eks:nodegroup-name": "an EKS managed node group: use scale-nodegroup, or EKS sets its own sizes again",
    "AWSBatchServiceTag": "AWS Batch: use stop-batch-jobs, or change its compute environment",
}
"""Tag of a group → the service that sizes it.

https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html
https://docs.aws.amazon.com/batch/latest/userguide/compute_environments.html
"""


class OnGroup(Action[P]):
    """An action on one group, of as many as the Region has."""

    target_type = "AWS::AutoScaling::AutoScalingGroup"
    target_pattern = NAME

    @property
    @override
    def resource(self) -> str:
        return f"Auto Scaling group {self.target}"

    @override
    def reach(self, call: Call) -> Reach:
        count, more = 0, dict[str, Any]()
        while True:
            page = call("autoscaling", "describe_auto_scaling_groups", MaxRecords=100, **more)
            count += len(page.get("AutoScalingGroups", ()))
            if not (token := page.get("NextToken")):
                return Reach(targets=1, of=max(1, count))
            more = {"NextToken": token}


def rights(place: Place, write: str) -> tuple[Statement, ...]:
    """What looking at groups needs, and `write`, the call that changes one."""
    return (
        Statement(actions=("autoscaling:DescribeAutoScalingGroups",), resources=("*",)),
        Statement(
            actions=(write,),
            resources=(place.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*"),),
        ),
    )


def group(call: Call, name: str) -> dict[str, Any]:
    """The group as DescribeAutoScalingGroups tells it.

    Raises:
        NotFound: there is none, or it is being deleted.
    """
    found: list[dict[str, Any]] = call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[name]).get(
        "AutoScalingGroups", []
    )
    if not found or found[0].get("Status"):
        raise NotFound(f"there is no Auto Scaling group {name}")
    return found[0]


def refuse_owned(described: Mapping[str, Any]) -> None:
    """Refuse a group of ours, and one whose size another service keeps."""
    name, tags = described["AutoScalingGroupName"], {t["Key"]: t.get("Value", "") for t in described.get("Tags", ())}
    refuse_system(f"Auto Scaling group {name}", tags)
    for tag, owner in OWNED_BY_TAG.items():
        if tag in tags:
            raise Conflict(f"Auto Scaling group {name} belongs to {owner}")


def capacity(described: Mapping[str, Any], *, in_service: bool = False) -> int:
    """What the group's instances count for, those in service or all: one each, or the weight of their type."""
    return sum(
        int(instance.get("WeightedCapacity") or 1)
        for instance in described.get("Instances", ())
        if not in_service or instance.get("LifecycleState") == "InService"
    )
