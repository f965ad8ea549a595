"""`quarantine-instance`: give every network interface of an EC2 instance one security group that lets nothing through.

The instance keeps running: its memory and disks are evidence.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions import ec2_instance
from incidentio.mitigate.actions.action import (
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)

_EVERYBODY = ("0.0.0.0/0", "::/0")


class Quarantine(Parameters):
    group: Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$", description="security group that lets nothing through")]


class QuarantineInstance(ec2_instance.OnInstance[Quarantine]):
    """The value is the groups of each interface, one part each: `{"eni-1": ["sg-1", "sg-2"]}`, groups sorted."""

    name = "quarantine-instance"
    parameters: ClassVar[type[Parameters]] = Quarantine
    parts = True

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                # These know no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
                actions=("ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups"),
                resources=("*",),
            ),
            Statement(
                actions=("ec2:ModifyNetworkInterfaceAttribute",),
                # The groups to give back are known at run time only.
                resources=tuple(
                    place.arn("ec2", kind) for kind in ("instance/*", "network-interface/*", "security-group/*")
                ),
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"security groups of instance {self.target}"

    @override
    def said(self, value: Value) -> str:
        return "; ".join(
            f"{interface} gone" if groups is None else f"{interface}: {', '.join(groups)}"
            for interface, groups in value.items()
        )

    @override
    def read(self, call: Call) -> Value:
        ec2_instance.described(call, self.target)
        answer = call(
            "ec2",
            "describe_network_interfaces",
            Filters=[{"Name": "attachment.instance-id", "Values": [self.target]}],
        )
        found = {
            interface["NetworkInterfaceId"]: sorted(group["GroupId"] for group in interface["Groups"])
            for interface in answer.get("NetworkInterfaces", ())
        }
        return dict(sorted(found.items()))

    @override
    def wanted(self, before: Value) -> Value:
        after = {interface: [self.given.group] for interface in before}
        if not before:
            raise Conflict(f"instance {self.target} has no network interface: there is nothing to cut off")
        if before == after:
            raise Conflict(f"instance {self.target} is in {self.given.group} alone already")
        return after

    @override
    def guard(self, call: Call, change: Change) -> None:
        instance = ec2_instance.described(call, self.target)
        refuse_system(self.resource, ec2_instance.tags_of(instance))
        found = call("ec2", "describe_security_groups", GroupIds=[self.given.group]).get("SecurityGroups", ())
        if not found:
            raise NotFound(f"there is no security group {self.given.group}")
        group = found[0]
        if group["VpcId"] != instance.get("VpcId"):
            raise Conflict(
                f"security group {self.given.group} is in {group['VpcId']} and instance {self.target} in "
                f"{instance.get('VpcId')}: use a quarantine group of the instance's own VPC"
            )
        if open_rule := next(_open_rules(group), None):
            raise Conflict(
                f"security group {self.given.group} lets {open_rule} through: it would isolate nothing. "
                "A quarantine group has no rule for 0.0.0.0/0 or ::/0, in or out"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        for interface, groups in value.items():
            call("ec2", "modify_network_interface_attribute", NetworkInterfaceId=interface, Groups=groups)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        """An interface that was added since the snapshot is none of those that were set: a way out."""
        out = sorted(interface for interface, groups in value.items() if groups != [self.given.group])
        return f"{', '.join(out)} is not in {self.given.group}: it was attached meanwhile" if out else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        where = f"--region {self.place.region}"

        def give(interface: str, groups: str) -> str:
            modify = f"aws ec2 modify-network-interface-attribute {where}"
            return f"{modify} --network-interface-id {interface} --groups {groups}"

        if change:
            return Commands(
                do=tuple(give(interface, " ".join(groups)) for interface, groups in change.after.items()),
                undo=tuple(give(interface, " ".join(groups)) for interface, groups in change.before.items()),
            )
        query = "NetworkInterfaces[].[NetworkInterfaceId,join(' ',Groups[].GroupId)]"
        of_it = f"--filters Name=attachment.instance-id,Values={self.target}"
        look = f"aws ec2 describe-network-interfaces {where} {of_it} --query {shlex.quote(query)} --output text"
        each = f'echo "${keep}" | while read -r eni groups; do'
        return Commands(
            look=(f"{keep}=$({look})",),
            do=(f"{each} {give('$eni', self.given.group)}; done",),
            undo=(f"{each} {give('$eni', '$groups')}; done",),
        )


def _open_rules(group: Mapping[str, Any]) -> Iterator[str]:
    """Rules of the group for everybody: `everything in (0.0.0.0/0)`."""
    for direction, key in (("in", "IpPermissions"), ("out", "IpPermissionsEgress")):
        for rule in group.get(key, ()):
            ranges = [r["CidrIp"] for r in rule.get("IpRanges", ())]
            ranges += [r["CidrIpv6"] for r in rule.get("Ipv6Ranges", ())]
            for address in ranges:
                if address in _EVERYBODY:
                    what = "everything" if rule["IpProtocol"] == "-1" else rule["IpProtocol"]
                    yield f"{what} {direction} ({address})"
