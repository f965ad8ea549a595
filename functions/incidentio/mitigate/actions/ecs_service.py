"""An ECS service as actions see it: `cluster/service`, found, and whether it may be touched."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import Action, Call, P, Place, Reach, Statement, refuse_system

NAME = r"[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,255}"


class OnService(Action[P]):
    """An action on one service, of as many as its cluster runs."""

    target_type = "AWS::ECS::Service"
    target_pattern = NAME

    @property
    def cluster(self) -> str:
        return self.target.split("/")[0]

    @property
    def service(self) -> str:
        return self.target.split("/")[1]

    @override
    def reach(self, call: Call) -> Reach:
        clusters = call("ecs", "describe_clusters", clusters=[self.cluster]).get("clusters", ())
        return Reach(targets=1, of=max([int(c.get("activeServicesCount", 1)) for c in clusters], default=1))


def rights(place: Place, *service: str) -> tuple[Statement, ...]:
    """The calls named in `service` on services, and what `reach` needs."""
    return (
        Statement(actions=service, resources=(place.arn("ecs", "service/*"),)),
        Statement(actions=("ecs:DescribeClusters",), resources=(place.arn("ecs", "cluster/*"),)),
    )


def active_service(call: Call, target: str) -> dict[str, Any]:
    """The service as DescribeServices tells it, with its tags.

    Raises:
        NotFound: there is none, or it is being deleted.
    """
    cluster, _, name = target.partition("/")
    answer = call("ecs", "describe_services", cluster=cluster, services=[name], include=["TAGS"])
    found: list[dict[str, Any]] = [s for s in answer.get("services", ()) if s.get("status") == "ACTIVE"]
    if not found:
        raise NotFound(f"there is no active service {name} in cluster {cluster}")
    return found[0]


def refuse_ours(target: str, described: Mapping[str, Any]) -> None:
    refuse_system(f"service {target}", {t["key"]: t.get("value", "") for t in described.get("tags", ())})


def refuse_deployed_elsewhere(target: str, described: Mapping[str, Any]) -> None:
    """Only ECS' own rolling deployments take a task definition from UpdateService.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html
    """
    controller = (described.get("deploymentController") or {}).get("type", "ECS")
    if controller != "ECS":
        raise Conflict(f"service {target} is deployed by {controller}: roll it back there")
