"""EC2 instances that carry a tag of their own: those that may be stopped, and those that may not."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_NOT_ALONE = {"holding_state": "incidentio:state", "grouped": "aws:autoscaling:groupName"}
_RUNS = ("pending", "running")


class TaggedInstances(Estate):
    """How many are `running` and may be stopped, and how many run that hold state or belong to a group."""

    values = ("running", *_NOT_ALONE)
    example = "purpose=load-test"
    namespace, metric = "AWS/Usage", "ResourceCount"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._launch(given.get("running", 0), tags)
        for name, tag in _NOT_ALONE.items():
            self._launch(given.get(name, 0), {**tags, tag: "yes"})

    @property
    @override
    def target(self) -> str:
        return f"purpose=load-test-{self.aws.tag}"

    @override
    def now(self, name: str) -> Any:
        """Those that carry the tag of that name, and for `running` none of them."""
        wanted = _NOT_ALONE.get(name)
        found = [{t["Key"] for t in i["Tags"]}.intersection(_NOT_ALONE.values()) for i in self._all(*_RUNS)]
        return sum(tags == ({wanted} if wanted else set()) for tags in found)

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "running":
            return super().set(name, value)
        stopped = [i["InstanceId"] for i in self._all("stopped")]
        self.aws.client("ec2").start_instances(InstanceIds=stopped[:value])
        return None

    @override
    def leave(self) -> None:
        if ids := [i["InstanceId"] for i in self._all(*_RUNS, "stopped")]:
            self.aws.client("ec2").terminate_instances(InstanceIds=ids)

    def _launch(self, count: int, tags: Mapping[str, str]) -> None:
        if not count:
            return
        ec2 = self.aws.client("ec2")
        made = ec2.run_instances(ImageId="ami-00000000", MinCount=count, MaxCount=count)["Instances"]
        key, _, value = self.target.partition("=")
        ec2.create_tags(
            Resources=[i["InstanceId"] for i in made],
            Tags=[{"Key": k, "Value": v} for k, v in {**tags, key: value}.items()],
        )

    def _all(self, *states: str) -> list[dict[str, Any]]:
        key, _, value = self.target.partition("=")
        found = self.aws.client("ec2").describe_instances(
            Filters=[
                {"Name": f"tag:{key}", "Values": [value]},
                {"Name": "instance-state-name", "Values": list(states)},
            ]
        )
        return [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]
