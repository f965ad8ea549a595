"""An EC2 instance as several actions look at it."""

from typing import Any

from typing_extensions import override

from incidentio.core.errors import NotFound
from incidentio.mitigate.actions.action import Action, Call, P, refuse_system

PATTERN = r"i-[0-9a-f]{8,17}"


class OnInstance(Action[P]):
    target_type = "AWS::EC2::Instance"
    target_pattern = PATTERN

    @property
    @override
    def resource(self) -> str:
        return f"instance {self.target}"


def described(call: Call, instance: str) -> dict[str, Any]:
    """The instance as DescribeInstances tells it.

    Raises:
        NotFound: there is none, or it is terminated: what is left of it takes no change.
    """
    answer = call("ec2", "describe_instances", InstanceIds=[instance])
    found: list[dict[str, Any]] = [i for r in answer.get("Reservations", ()) for i in r.get("Instances", ())]
    if not found or found[0]["State"]["Name"] in ("shutting-down", "terminated"):
        raise NotFound(f"there is no instance {instance}")
    return found[0]


def tags_of(instance: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in instance.get("Tags", ())}


def refuse_our_own(call: Call, instance: str) -> None:
    """Raises Forbidden when the instance is one of ours."""
    refuse_system(f"instance {instance}", tags_of(described(call, instance)))
