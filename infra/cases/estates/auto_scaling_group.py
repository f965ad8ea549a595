"""An Auto Scaling group whose instances are there at once."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_KEYS = {"min_size": "MinSize", "max_size": "MaxSize", "desired_capacity": "DesiredCapacity"}


class AutoScalingGroup(Estate):
    """`min_size`, `max_size` and `desired_capacity`."""

    values = tuple(_KEYS)
    example = "shop-workers"
    namespace, metric = "AWS/AutoScaling", "GroupDesiredCapacity"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self.aws.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName=self.target,
            AvailabilityZones=[f"{self.aws.region}a"],
            MinSize=given.get("min_size", 1),
            MaxSize=given.get("max_size", 10),
            DesiredCapacity=given.get("desired_capacity", 2),
            Tags=[
                {
                    "ResourceId": self.target,
                    "ResourceType": "auto-scaling-group",
                    "Key": key,
                    "Value": value,
                    "PropagateAtLaunch": True,
                }
                for key, value in tags.items()
            ],
        )

    @property
    @override
    def target(self) -> str:
        return f"workers-{self.aws.tag}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"AutoScalingGroupName": self.target}

    @override
    def now(self, name: str) -> Any:
        found = self.aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.target])
        return found["AutoScalingGroups"][0][_KEYS[name]]

    @override
    def set(self, name: str, value: Any) -> None:
        self.aws.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=self.target, **{_KEYS[name]: value}
        )

    @override
    def leave(self) -> None:
        self.aws.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=self.target, ForceDelete=True)
