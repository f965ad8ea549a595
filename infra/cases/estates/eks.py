"""An EKS cluster, a node group and an add-on, in memory: the emulator can make them, and cannot update them.

https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_THEN = datetime(2026, 3, 1, tzinfo=UTC)


class EksCluster(Estate):
    """`tier` of its control plane (`standard`), `status` (`ACTIVE`)."""

    values = ("tier", "status")
    stands_in = (
        "eks.describe_addon",
        "eks.describe_cluster",
        "eks.describe_nodegroup",
        "eks.describe_update",
        "eks.list_addons",
        "eks.list_nodegroups",
        "eks.list_updates",
        "eks.update_cluster_config",
    )
    example = "shop"
    namespace, metric = "AWS/EKS", "scheduler_pending_pods"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._tags, self._status = dict(tags), given.get("status", "ACTIVE")
        self._tier = given.get("tier", "standard")
        self._updates: list[dict[str, Any]] = []
        if self._status == "UPDATING":
            self._record("VersionUpdate", "InProgress", "Version", "1.34")

    @property
    @override
    def target(self) -> str:
        return f"shop-{self.aws.tag}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"ClusterName": self.target}

    @override
    def now(self, name: str) -> Any:
        return self._tier if name == "tier" else self._status

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "tier":
            return super().set(name, value)
        self._tier = value
        return None

    def describe_cluster(self, **_given: Any) -> dict[str, Any]:
        cluster = {
            "name": self.target,
            "status": self._status,
            "version": "1.33",
            "tags": self._tags,
            "controlPlaneScalingConfig": {"tier": self._tier},
        }
        return {"cluster": cluster}

    def update_cluster_config(self, **given: Any) -> dict[str, Any]:
        self._tier = given["controlPlaneScalingConfig"]["tier"]
        return {"update": self._record("ControlPlaneScalingConfigUpdate", "Successful", "UpdatedTier", self._tier)}

    def list_updates(self, **_given: Any) -> dict[str, Any]:
        return {"updateIds": [update["id"] for update in self._updates]}

    def describe_update(self, **given: Any) -> dict[str, Any]:
        return {"update": next(update for update in self._updates if update["id"] == given["updateId"])}

    def list_nodegroups(self, **_given: Any) -> dict[str, Any]:
        return {"nodegroups": ["workers"]}

    def describe_nodegroup(self, **_given: Any) -> dict[str, Any]:
        sizes = {"desiredSize": 2, "maxSize": 3, "minSize": 1}
        return {"nodegroup": {"nodegroupName": "workers", "status": "ACTIVE", "scalingConfig": sizes}}

    def list_addons(self, **_given: Any) -> dict[str, Any]:
        return {"addons": ["coredns"]}

    def describe_addon(self, **_given: Any) -> dict[str, Any]:
        return {"addon": {"addonName": "coredns", "status": "ACTIVE", "addonVersion": "v1.12.1-eksbuild.2"}}

    def _record(self, type: str, status: str, parameter: str, value: str) -> dict[str, Any]:
        update = {
            "id": f"update-{len(self._updates)}",
            "type": type,
            "status": status,
            "params": [{"type": parameter, "value": value}],
            "createdAt": _THEN,
        }
        self._updates.append(update)
        return update


class Nodegroup(Estate):
    """`desired`, `max` and `min` nodes; `status`. Its Auto Scaling group is the emulator's."""

    values = ("desired", "max", "min", "status")
    stands_in = ("eks.describe_nodegroup", "eks.list_nodegroups", "eks.update_nodegroup_config")
    example = "shop/workers"
    namespace, metric = "ContainerInsights", "node_cpu_utilization"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._tags, self._status = dict(tags), given.get("status", "ACTIVE")
        self._sizes = {"desired": given.get("desired", 2), "max": given.get("max", 4), "min": given.get("min", 1)}
        self.aws.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=self._group,
            AvailabilityZones=[f"{self.aws.region}a"],
            MinSize=self._sizes["min"],
            MaxSize=self._sizes["max"],
            DesiredCapacity=self._sizes["desired"],
        )

    @property
    @override
    def target(self) -> str:
        return f"shop/workers-{self.aws.tag}"

    @override
    def now(self, name: str) -> Any:
        return self._status if name == "status" else self._sizes[name]

    @override
    def set(self, name: str, value: Any) -> None:
        if name == "status":
            super().set(name, value)
        self._resize({**self._sizes, name: value})

    @override
    def leave(self) -> None:
        self.aws.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=self._group, ForceDelete=True)

    def describe_nodegroup(self, **_given: Any) -> dict[str, Any]:
        nodegroup = {
            "nodegroupName": self.target.partition("/")[2],
            "status": self._status,
            "scalingConfig": {f"{name}Size": size for name, size in self._sizes.items()},
            "resources": {"autoScalingGroups": [{"name": self._group}]},
            "tags": self._tags,
        }
        return {"nodegroup": nodegroup}

    def list_nodegroups(self, **_given: Any) -> dict[str, Any]:
        return {"nodegroups": [self.target.partition("/")[2]]}

    def update_nodegroup_config(self, **given: Any) -> dict[str, Any]:
        self._resize({name.removesuffix("Size"): size for name, size in given["scalingConfig"].items()})
        return {"update": {"id": "update-0", "type": "ConfigUpdate", "status": "InProgress"}}

    def _resize(self, sizes: dict[str, int]) -> None:
        self._sizes = sizes
        self.aws.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=self._group,
            MinSize=sizes["min"],
            MaxSize=sizes["max"],
            DesiredCapacity=sizes["desired"],
        )

    @property
    def _group(self) -> str:
        return f"eks-workers-{self.aws.tag}"
