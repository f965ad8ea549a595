"""An ECS service in a cluster of its own."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate


class EcsService(Estate):
    """`desired_count`; the `revision` of its task definition (1), and how many `revisions` are registered."""

    values = ("desired_count", "revision", "revisions")
    example = "shop/web"
    namespace, metric = "AWS/ECS", "CPUUtilization"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        ecs, name = self.aws.client("ecs"), self._name
        ecs.create_cluster(clusterName=name)
        revision = given.get("revision", 1)
        for _ in range(given.get("revisions", revision)):
            ecs.register_task_definition(
                family=name, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}]
            )
        ecs.create_service(
            cluster=name,
            serviceName=name,
            taskDefinition=f"{name}:{revision}",
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
        ecs = self.aws.client("ecs")
        if name == "revisions":
            return len(ecs.list_task_definitions(familyPrefix=self._name)["taskDefinitionArns"])
        found = ecs.describe_services(cluster=self._name, services=[self._name])["services"][0]
        if name == "revision":
            return int(found["taskDefinition"].rpartition(":")[2])
        return int(found["desiredCount"])

    @override
    def set(self, name: str, value: Any) -> None:
        changed = {"taskDefinition": f"{self._name}:{value}"} if name == "revision" else {"desiredCount": value}
        self.aws.client("ecs").update_service(cluster=self._name, service=self._name, **changed)

    @property
    def _name(self) -> str:
        return f"web-{self.aws.tag}"
