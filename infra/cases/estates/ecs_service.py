"""An ECS service in a cluster of its own."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate


class EcsService(Estate):
    """`desired_count`."""

    values = ("desired_count",)
    example = "shop/web"
    namespace, metric = "AWS/ECS", "CPUUtilization"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        ecs, name = self.aws.client("ecs"), self._name
        ecs.create_cluster(clusterName=name)
        ecs.register_task_definition(family=name, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
        ecs.create_service(
            cluster=name,
            serviceName=name,
            taskDefinition=name,
            desiredCount=given.get("desired_count", 0),
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        )

    @property
    @override
    def target(self) -> str:
        return f"{self._name}/{self._name}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"ClusterName": self._name, "ServiceName": self._name}

    @override
    def now(self, name: str) -> Any:
        found = self.aws.client("ecs").describe_services(cluster=self._name, services=[self._name])
        return int(found["services"][0]["desiredCount"])

    @override
    def set(self, name: str, value: Any) -> None:
        self.aws.client("ecs").update_service(cluster=self._name, service=self._name, desiredCount=value)

    @property
    def _name(self) -> str:
        return f"web-{self.aws.tag}"
