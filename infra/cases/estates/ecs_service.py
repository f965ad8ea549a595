"""An ECS service in a cluster of its own."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate
from infra.cases.estates.scaling_limits import ScalingLimits


class EcsService(Estate):
    """`desired_count`; the `revision` of its task definition (1), and how many `revisions` are registered.

    `max_tasks`: what its scaling may go up to (null: nothing scales it); `stopped`: tasks that ended.
    """

    values = ("desired_count", "revision", "revisions", "max_tasks", "stopped")
    stands_in = (
        "application-autoscaling.describe_scalable_targets",
        "application-autoscaling.list_tags_for_resource",
        "application-autoscaling.register_scalable_target",
    )
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
        self._scaling = ScalingLimits(f"service/{self.target}", self.aws.arn, given.get("max_tasks"), tags)
        for _ in range(given.get("stopped", 0)):
            self._stop_one()

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
        if name == "max_tasks":
            return self._scaling.most
        if name == "stopped":
            return len(ecs.list_tasks(cluster=self._name, serviceName=self._name, desiredStatus="STOPPED")["taskArns"])
        if name == "revisions":
            return len(ecs.list_task_definitions(familyPrefix=self._name)["taskDefinitionArns"])
        found = ecs.describe_services(cluster=self._name, services=[self._name])["services"][0]
        if name == "revision":
            return int(found["taskDefinition"].rpartition(":")[2])
        return int(found["desiredCount"])

    @override
    def set(self, name: str, value: Any) -> None:
        if name == "max_tasks":
            self._scaling.most = value
            return
        changed = {"taskDefinition": f"{self._name}:{value}"} if name == "revision" else {"desiredCount": value}
        self.aws.client("ecs").update_service(cluster=self._name, service=self._name, **changed)

    def describe_scalable_targets(self, **given: Any) -> dict[str, Any]:
        return self._scaling.described(**given)

    def list_tags_for_resource(self, **given: Any) -> dict[str, Any]:
        return self._scaling.tagged(**given)

    def register_scalable_target(self, **given: Any) -> dict[str, Any]:
        """Like AWS, it takes a service that is above the new maximum down to it."""
        if self.now("desired_count") > given["MaxCapacity"]:
            self.set("desired_count", given["MaxCapacity"])
        return self._scaling.registered(**given)

    def _stop_one(self) -> None:
        ecs = self.aws.client("ecs")
        ran = ecs.run_task(cluster=self._name, taskDefinition=self._name, startedBy=self._name)["tasks"][0]
        ecs.stop_task(cluster=self._name, task=ran["taskArn"], reason="Essential container in task exited")

    @property
    def _name(self) -> str:
        return f"web-{self.aws.tag}"
