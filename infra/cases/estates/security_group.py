"""A security group, and what was recorded of it in SSM."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from incidentio.mitigate.actions.recorded_rules import RECORDS
from infra.cases.estate import Estate


class SecurityGroup(Estate):
    """`rules_in`: ports that are open in the end; `out`: whether the recorded rule for what goes out is there.

    `recorded`: ports of the record, 443 and 5432 where it is not given; `null`: there is none.
    """

    values = ("out", "recorded", "rules_in")
    example = "sg-0abcdef1234567890"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        ec2, name = self.aws.client("ec2"), f"web-{self.aws.tag}"
        self._id = str(ec2.create_security_group(GroupName=name, Description="web")["GroupId"])
        if tags:
            ec2.create_tags(Resources=[self._id], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        self._recorded = given.get("recorded", [443, 5432])
        self.set("rules_in", given.get("rules_in", []))
        if given.get("out"):
            ec2.authorize_security_group_egress(GroupId=self._id, IpPermissions=[_rule(443)])
        if self._recorded is not None:
            lines = [f"False\ttcp\t{port}\t{port}\t10.0.0.0/8" for port in self._recorded]
            lines.append("True\ttcp\t443\t443\t10.0.0.0/8")
            self.aws.client("ssm").put_parameter(Name=f"{RECORDS}/{self._id}", Type="String", Value="\n".join(lines))

    @property
    @override
    def target(self) -> str:
        return self._id

    @override
    def now(self, name: str) -> Any:
        match name:
            case "recorded":
                return self._recorded
            case "out":
                return 443 in self._ports(egress=True)
            case _:
                return self._ports(egress=False)

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "rules_in":
            return super().set(name, value)
        ec2, there = self.aws.client("ec2"), self._ports(egress=False)
        for port in set(value) - set(there):
            ec2.authorize_security_group_ingress(GroupId=self._id, IpPermissions=[_rule(port)])
        for port in set(there) - set(value):
            ec2.revoke_security_group_ingress(GroupId=self._id, IpPermissions=[_rule(port)])
        return None

    def _ports(self, *, egress: bool) -> list[int]:
        rules = self.aws.client("ec2").describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [self._id]}]
        )["SecurityGroupRules"]
        return sorted(rule["FromPort"] for rule in rules if rule["IsEgress"] == egress)


def _rule(port: int) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
