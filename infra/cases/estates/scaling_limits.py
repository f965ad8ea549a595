"""Application Auto Scaling for one resource, which the emulator does not know: its limits, and no scaling.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any


class ScalingLimits:
    """`most` is the maximum; None: the resource is not registered. The minimum is 1."""

    def __init__(
        self, resource: str, arn: Callable[[str, str], str], most: int | None, tags: Mapping[str, str]
    ) -> None:
        self.most, self.least = most, 1
        self._resource, self._tags = resource, dict(tags)
        self._arn = arn("application-autoscaling", "scalable-target/0ec5abcdef0123456789abcdef0123456789")

    def described(self, **given: Any) -> dict[str, Any]:
        if self.most is None or given["ResourceIds"] != [self._resource]:
            return {"ScalableTargets": []}
        return {
            "ScalableTargets": [
                {
                    "ServiceNamespace": "ecs",
                    "ResourceId": self._resource,
                    "ScalableDimension": "ecs:service:DesiredCount",
                    "MinCapacity": self.least,
                    "MaxCapacity": self.most,
                    "RoleARN": "arn:aws:iam::000000000000:role/scaling",
                    "CreationTime": datetime(2026, 3, 1, tzinfo=UTC),
                    "ScalableTargetARN": self._arn,
                }
            ]
        }

    def tagged(self, **given: Any) -> dict[str, Any]:
        return {"Tags": self._tags if given["ResourceARN"] == self._arn else {}}

    def registered(self, **given: Any) -> dict[str, Any]:
        """Updates what it is given, and keeps the rest."""
        self.most = given.get("MaxCapacity", self.most)
        self.least = given.get("MinCapacity", self.least)
        return {"ScalableTargetARN": self._arn}
