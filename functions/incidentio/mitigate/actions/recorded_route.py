"""`restore-route`: send one destination of a route table where somebody wrote down that it goes.

The record is an SSM parameter `/incidentio/recorded/TABLE`: one route a line, destination and target, as in

    10.20.0.0/16 tgw-0abcdef1234567890

https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html
"""

import shlex
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, ClassVar

from pydantic import Field, field_validator
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
from incidentio.mitigate.actions.recorded_rules import RECORDS

_FIELD = {
    "eigw": "EgressOnlyInternetGatewayId",
    "eni": "NetworkInterfaceId",
    "igw": "GatewayId",
    "lgw": "LocalGatewayId",
    "nat": "NatGatewayId",
    "pcx": "VpcPeeringConnectionId",
    "tgw": "TransitGatewayId",
    "vgw": "GatewayId",
    "vpce": "VpcEndpointId",
}
"""What a target's id begins with → the parameter that takes it. A gateway endpoint's own routes are managed by AWS."""
_OPTION = {
    "eigw": "--egress-only-internet-gateway-id",
    "eni": "--network-interface-id",
    "igw": "--gateway-id",
    "lgw": "--local-gateway-id",
    "nat": "--nat-gateway-id",
    "pcx": "--vpc-peering-connection-id",
    "tgw": "--transit-gateway-id",
    "vgw": "--gateway-id",
    "vpce": "--vpc-endpoint-id",
}


class Route(Parameters):
    destination: str = Field(description="the destination, as 10.20.0.0/16 or 2001:db8::/32")

    @field_validator("destination")
    @classmethod
    def _is_a_network(cls, destination: str) -> str:
        return str(ip_network(destination))


class RestoreRoute(Action[Route]):
    """The value is where the destination goes, and where it is recorded to: `{"now": null, "recorded": "tgw-1"}`."""

    name = "restore-route"
    target_type = "AWS::EC2::RouteTable"
    target_pattern = r"rtb-[0-9a-f]{8,17}"
    parameters: ClassVar[type[Parameters]] = Route

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            # It knows no resource.
            Statement(actions=("ec2:DescribeRouteTables",), resources=("*",)),
            Statement(
                actions=("ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"),
                resources=(place.arn("ec2", "route-table/*"),),
            ),
            Statement(actions=("ssm:GetParameter",), resources=(place.arn("ssm", f"parameter{RECORDS}/*"),)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"route of {self.target} to {self.given.destination}"

    @property
    @override
    def resource(self) -> str:
        return f"route table {self.target} with a record in {self._record}"

    @property
    def _record(self) -> str:
        return f"{RECORDS}/{self.target}"

    @property
    def _destination(self) -> dict[str, str]:
        version = ip_network(self.given.destination).version
        return {"DestinationCidrBlock" if version == 4 else "DestinationIpv6CidrBlock": self.given.destination}

    @override
    def said(self, value: Value) -> str:
        return value["now"] or "none"

    def _table(self, call: Call) -> dict[str, Any]:
        found = call("ec2", "describe_route_tables", RouteTableIds=[self.target]).get("RouteTables", ())
        if not found:
            raise NotFound(f"there is no route table {self.target}")
        table: dict[str, Any] = found[0]
        return table

    def _recorded(self, call: Call) -> str:
        """Raises Conflict: the destination is not in the record, or a line is no route."""
        text = call("ssm", "get_parameter", Name=self._record)["Parameter"]["Value"]
        for line in filter(None, map(str.strip, text.splitlines())):
            destination, _, target = line.partition(" ")
            if destination == self.given.destination:
                if target.strip().split("-")[0] not in _FIELD:
                    raise Conflict(
                        f"{self._record} sends {destination} to {target.strip()[:80]!r}: "
                        f"a target begins with {', '.join(sorted(_FIELD))}"
                    )
                return target.strip()
        raise Conflict(f"{self._record} has no route to {self.given.destination}: it was never recorded")

    @override
    def read(self, call: Call) -> Value:
        now: dict[str, Any] = next(
            (r for r in self._table(call)["Routes"] if self._destination.items() <= r.items()), {}
        )
        target = next(
            (
                now[field]
                for field in sorted({*_FIELD.values(), "CarrierGatewayId", "CoreNetworkArn"})
                if now.get(field)
            ),
            None,
        )
        return {"now": target, "recorded": self._recorded(call)}

    @override
    def wanted(self, before: Value) -> Value:
        if before["now"] == before["recorded"]:
            raise Conflict(f"{self.subject} is {before['now']}, as recorded: there is nothing to restore")
        return {**before, "now": before["recorded"]}

    @override
    def guard(self, call: Call, change: Change) -> None:
        table = self._table(call)
        refuse_system(f"route table {self.target}", {tag["Key"]: tag.get("Value", "") for tag in table.get("Tags", ())})
        for route in table["Routes"]:
            if self._destination.items() <= route.items() and route.get("Origin") == "CreateRouteTable":
                raise Conflict(f"{self.subject} is that of the VPC itself: it is left alone")
        now = change.before["now"]
        if now and now.split("-")[0] not in _FIELD:
            raise Conflict(f"{self.subject} goes to {now}, which a playbook could not give back")

    @override
    def write(self, call: Call, value: Value) -> None:
        which = {"RouteTableId": self.target, **self._destination}
        now, target = self.read(call)["now"], value["now"]
        if target is None:
            if now is not None:
                call("ec2", "delete_route", **which)
            return
        verb = "create" if now is None else "replace"
        call("ec2", f"{verb}_route", **which, **{_FIELD[target.split("-")[0]]: target})

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        (field,) = self._destination
        option = {"DestinationCidrBlock": "cidr-block", "DestinationIpv6CidrBlock": "ipv6-cidr-block"}[field]
        where = f"--region {self.place.region} --route-table-id {self.target}"
        which = f"{where} --destination-{option} {self.given.destination}"

        def to(verb: str, target: str) -> str:
            return f"aws ec2 {verb}-route {which} {_OPTION[target.split('-', maxsplit=1)[0]]} {target}"

        if change:
            before, after = change.before["now"], change.after["now"]
            if before is None:
                return Commands(do=(to("create", after),), undo=(f"aws ec2 delete-route {which}",))
            return Commands(do=(to("replace", after),), undo=(to("replace", before),))
        query = f"RouteTables[0].Routes[?{field}=='{self.given.destination}']"
        described = f"aws ec2 describe-route-tables --region {self.place.region} --route-table-ids {self.target}"
        options = " ".join(f"{kind}-*) o={option};;" for kind, option in sorted(_OPTION.items()))
        choose, replace = f'o=; case "$TO" in {options} esac', f'aws ec2 replace-route {which} "$o" "$TO"'
        nowhere = f'[ "${keep}" = "[]" ]'
        recorded = f"aws ssm get-parameter --region {self.place.region} --name {self._record}"
        recorded = f"{recorded} --query Parameter.Value --output text"
        do = f'if {nowhere}; then aws ec2 create-route {which} "$o" "$TO"; else {replace}; fi'
        ids = f"printf %s \"${keep}\" | jq -r '.[0][] | strings'"
        back = f'{ids} | while read -r TO; do {choose}; if [ -n "$o" ]; then {replace}; fi; done'
        return Commands(
            look=(
                f"{keep}=$({described} --query {shlex.quote(query)} --output json)",
                f"TO=$({recorded} | awk '$1 == \"{self.given.destination}\" {{print $2}}')",
            ),
            do=(choose, do),
            undo=(f"if {nowhere}; then aws ec2 delete-route {which}; else {back}; fi",),
        )
