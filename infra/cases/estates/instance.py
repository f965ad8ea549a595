"""An EC2 instance with two network interfaces, and a quarantine group in its VPC."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from infra.cases.estate import Estate

_INTERFACES = ("eni-0000000000000001a", "eni-0000000000000002b")


class Instance(Estate):
    """`groups`: `own`, `quarantine`, or what somebody else gave it; `isolated`: its tag; `protected`; `state`.

    `quarantine_lets` is what the group lets out: empty for nothing, or a CIDR.
    """

    values = ("groups", "isolated", "protected", "quarantine_lets", "state")
    stands_in = (
        "ec2.describe_network_interfaces",
        "ec2.modify_network_interface_attribute",
        "ec2.describe_instance_attribute",
        "ec2.modify_instance_attribute",
    )
    example = "i-0abcdef1234567890"
    named: ClassVar[Mapping[str, str]] = {"group": "sg-0abcdef1234567890"}
    namespace, metric = "AWS/EC2", "NetworkOut"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        ec2 = self.aws.client("ec2")
        self._lets = given.get("quarantine_lets", "")
        self._own = [self._group("own"), self._group("shared")]
        self._quarantine, self._other = self._group("quarantine"), self._group("other")
        self._closed(self._quarantine)
        launched = ec2.run_instances(ImageId="ami-00000000", MinCount=1, MaxCount=1, SecurityGroupIds=self._own)
        self._id = str(launched["Instances"][0]["InstanceId"])
        if tags:
            ec2.create_tags(Resources=[self._id], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        self._groups = {interface: list(self._own) for interface in _INTERFACES}
        self._protected = bool(given.get("protected", False))
        if "groups" in given:
            self.set("groups", given["groups"])
        self.parameters["group"] = self._quarantine

    @property
    @override
    def target(self) -> str:
        return self._id

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"InstanceId": self._id}

    @override
    def now(self, name: str) -> Any:
        match name:
            case "groups":
                return self._named_groups()
            case "protected":
                return self._protected
            case "quarantine_lets":
                return self._lets
        reservations = self.aws.client("ec2").describe_instances(InstanceIds=[self._id])["Reservations"]
        instance = reservations[0]["Instances"][0]
        if name == "state":
            return instance["State"]["Name"]
        return {t["Key"]: t["Value"] for t in instance.get("Tags", ())}.get("incidentio:isolated")

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "groups":
            return super().set(name, value)
        wanted = {"own": self._own, "quarantine": [self._quarantine], "other": [self._other]}[value]
        self._groups = {interface: list(wanted) for interface in _INTERFACES}
        return None

    def describe_network_interfaces(self, **_given: Any) -> dict[str, Any]:
        return {
            "NetworkInterfaces": [
                {"NetworkInterfaceId": interface, "Groups": [{"GroupId": group} for group in groups]}
                for interface, groups in self._groups.items()
            ]
        }

    def modify_network_interface_attribute(self, **given: Any) -> dict[str, Any]:
        self._groups[given["NetworkInterfaceId"]] = list(given["Groups"])
        return {}

    def describe_instance_attribute(self, **_given: Any) -> dict[str, Any]:
        return {"InstanceId": self._id, "DisableApiTermination": {"Value": self._protected}}

    def modify_instance_attribute(self, **given: Any) -> dict[str, Any]:
        self._protected = given["DisableApiTermination"]["Value"]
        return {}

    def _group(self, name: str) -> str:
        made = self.aws.client("ec2").create_security_group(GroupName=f"{name}-{self.aws.tag}", Description=name)
        return str(made["GroupId"])

    def _closed(self, group: str) -> None:
        """A new group lets everything out, as on AWS."""
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2 = self.aws.client("ec2")
        if self._lets != "0.0.0.0/0":
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])

    def _named_groups(self) -> Any:
        names = {tuple(sorted(self._own)): "own", (self._quarantine,): "quarantine", (self._other,): "other"}
        found = {names.get(tuple(sorted(groups)), str(groups)) for groups in self._groups.values()}
        return found.pop() if len(found) == 1 else sorted(found)
