"""`restore-rules`: give a security group the rules back that somebody wrote down when all was well.

The record is an SSM parameter `/incidentio/recorded/GROUP`: one rule a line, as this prints it, tabs or blanks between:

    aws ec2 describe-security-group-rules --filters Name=group-id,Values=GROUP --output text --query
      "SecurityGroupRules[].[IsEgress,IpProtocol,FromPort,ToPort,CidrIpv4||CidrIpv6||PrefixListId||ReferencedGroupInfo.GroupId]"

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroupRules.html
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)
from incidentio.mitigate.actions.literal import literal

RECORDS = "/incidentio/recorded"
QUERY = (
    "SecurityGroupRules[].[IsEgress,IpProtocol,FromPort,ToPort,"
    "CidrIpv4||CidrIpv6||PrefixListId||ReferencedGroupInfo.GroupId]"
)
_RULE = re.compile(r"(True|False)\s+(\S+)\s+(-?\d+)\s+(-?\d+)\s+([0-9a-fA-F.:/]+|pl-[0-9a-f]+|sg-[0-9a-f]+)")
_SIDES = {"in": ("False", "Ingress"), "out": ("True", "Egress")}


class Recorded(Parameters):
    direction: Literal["in", "out"] = Field(description="which rules: those for what comes in, or goes out")
    max_rules: int = Field(default=5, ge=1, le=50, description="refuse to add more rules than this")


class RestoreRules(Action[Recorded]):
    """The value says of each recorded rule whether the group has it: `{"tcp 443 443 0.0.0.0/0": false}`.

    One direction is one call to AWS, so there is no half of it. Rules that are not recorded are not touched.
    """

    name = "restore-rules"
    target_type = "AWS::EC2::SecurityGroup"
    target_pattern = r"sg-[0-9a-f]{8,17}"
    parameters: ClassVar[type[Parameters]] = Recorded

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        direction = literal(given.get("direction"), "")
        sides = [_SIDES[direction][1]] if direction else [side for _, side in _SIDES.values()]
        return (
            Statement(
                actions=("ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"),
                # They know no resource.
                resources=("*",),
            ),
            Statement(actions=("ssm:GetParameter",), resources=(place.arn("ssm", f"parameter{RECORDS}/*"),)),
            Statement(
                actions=tuple(f"ec2:{verb}SecurityGroup{side}" for side in sides for verb in ("Authorize", "Revoke")),
                resources=(place.arn("ec2", "security-group/*"),),
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"recorded rules of security group {self.target}, {self.given.direction}"

    @property
    @override
    def resource(self) -> str:
        return f"security group {self.target} with a record in {self._record}"

    @property
    def _record(self) -> str:
        return f"{RECORDS}/{self.target}"

    @override
    def said(self, value: Value) -> str:
        missing = [rule for rule, there in value.items() if not there]
        return f"missing {'; '.join(missing)}" if missing else f"all {len(value)} there"

    def _recorded(self, call: Call) -> list[str]:
        """Raises Conflict: a line of the record is no rule."""
        text = call("ssm", "get_parameter", Name=self._record)["Parameter"]["Value"]
        egress, _ = _SIDES[self.given.direction]
        found = set()
        for line in filter(None, map(str.strip, text.splitlines())):
            match = _RULE.fullmatch(line)
            if not match:
                raise Conflict(
                    f"{self._record} has a line that is no rule: {line[:80]!r}. "
                    "A rule is written as: False tcp 443 443 10.0.0.0/8"
                )
            if match[1] == egress:
                found.add(" ".join(match.groups()[1:]))
        return sorted(found)

    @override
    def read(self, call: Call) -> Value:
        there = set(self._there(call))
        return {rule: rule in there for rule in self._recorded(call)}

    def _there(self, call: Call) -> Iterator[str]:
        more: dict[str, Any] = {}
        while True:
            page = call(
                "ec2",
                "describe_security_group_rules",
                Filters=[{"Name": "group-id", "Values": [self.target]}],
                **more,
            )
            for rule in page.get("SecurityGroupRules", ()):
                if rule["IsEgress"] == (self.given.direction == "out"):
                    peer = (
                        rule.get("CidrIpv4")
                        or rule.get("CidrIpv6")
                        or rule.get("PrefixListId")
                        or rule.get("ReferencedGroupInfo", {}).get("GroupId")
                    )
                    yield f"{rule['IpProtocol']} {rule.get('FromPort', -1)} {rule.get('ToPort', -1)} {peer}"
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    @override
    def wanted(self, before: Value) -> Value:
        return dict.fromkeys(before, True)

    @override
    def guard(self, call: Call, change: Change) -> None:
        found = call("ec2", "describe_security_groups", GroupIds=[self.target]).get("SecurityGroups", ())
        if not found:
            raise NotFound(f"there is no security group {self.target}")
        refuse_system(
            f"security group {self.target}", {tag["Key"]: tag.get("Value", "") for tag in found[0].get("Tags", ())}
        )
        missing = sum(change.before[rule] != there for rule, there in change.after.items())
        if missing > self.given.max_rules:
            raise Conflict(
                f"{missing} recorded rules are missing in {self.target}, and max_rules is {self.given.max_rules}: "
                "this is more than one mistake, look at it first"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        now = self.read(call)
        for verb, wanted in (("authorize", True), ("revoke", False)):
            rules = [rule for rule, there in value.items() if there is wanted and now.get(rule) is not wanted]
            if rules:
                side = _SIDES[self.given.direction][1].lower()
                permissions = [_permission(rule) for rule in rules]
                call("ec2", f"{verb}_security_group_{side}", GroupId=self.target, IpPermissions=permissions)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        egress, side = _SIDES[self.given.direction]
        where = f"--region {self.place.region}"

        def all_at_once(verb: str, rules: str) -> str:
            command = f"aws ec2 {verb}-security-group-{side.lower()} {where} --group-id {self.target}"
            return f"{command} --ip-permissions {rules}"

        if change:
            missing = [_permission(rule) for rule, there in change.before.items() if not there]
            rules = shlex.quote(json.dumps(missing))
            if not missing:
                return Commands()
            return Commands(do=(all_at_once("authorize", rules),), undo=(all_at_once("revoke", rules),))
        there = (
            f"aws ec2 describe-security-group-rules {where} --filters Name=group-id,Values={self.target} "
            f"--query {shlex.quote(QUERY)} --output text"
        )
        recorded = f"aws ssm get-parameter {where} --name {self._record} --query Parameter.Value --output text"
        lines = f"sed -n '/^{egress}/p' | tr -s '\\t ' ' ' | sort"
        kept = f"{self.target}-{self.given.direction}.txt"
        kept_rules = f'"${keep}"'
        some = f'[ "${keep}" = "[]" ] ||'
        return Commands(
            look=(
                f"{there} | {lines} > {kept}",
                f"{keep}=$({recorded} | {lines} | comm -23 - {kept} | jq -Rnc {shlex.quote(_IN_JQ)})",
            ),
            do=(f"{some} {all_at_once('authorize', kept_rules)}",),
            undo=(f"{some} {all_at_once('revoke', kept_rules)}",),
        )


_IN_JQ = (
    'def peer: if startswith("sg-") then {UserIdGroupPairs: [{GroupId: .}]} '
    'elif startswith("pl-") then {PrefixListIds: [{PrefixListId: .}]} '
    'elif contains(":") then {Ipv6Ranges: [{CidrIpv6: .}]} else {IpRanges: [{CidrIp: .}]} end; '
    '[inputs | split(" ") | {IpProtocol: .[1]} + (.[4] | peer) + '
    'if .[1] == "-1" then {} else {FromPort: (.[2] | tonumber), ToPort: (.[3] | tonumber)} end]'
)
"""`_permission` of each recorded line, for a shell."""


def _permission(rule: str) -> dict[str, Any]:
    protocol, low, high, peer = rule.split()
    permission: dict[str, Any] = {"IpProtocol": protocol}
    if protocol != "-1":
        permission |= {"FromPort": int(low), "ToPort": int(high)}
    if peer.startswith("sg-"):
        return permission | {"UserIdGroupPairs": [{"GroupId": peer}]}
    if peer.startswith("pl-"):
        return permission | {"PrefixListIds": [{"PrefixListId": peer}]}
    if ":" in peer:
        return permission | {"Ipv6Ranges": [{"CidrIpv6": peer}]}
    return permission | {"IpRanges": [{"CidrIp": peer}]}
