"""A route table, and what was recorded of it in SSM."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.mitigate.actions.recorded_rules import RECORDS
from infra.cases.estate import Estate

_TO = "10.20.0.0/16"
_GATEWAYS = {"nat": "nat-0aaaaaaaaaaaaaaa1", "igw": "igw-0aaaaaaaaaaaaaaa2", "vgw": "vgw-0aaaaaaaaaaaaaaa3"}


class RouteTable(Estate):
    """`route`: where 10.20.0.0/16 goes: `nat`, `igw`, `vgw` or `null`. `recorded`: where it should, or `null`."""

    values = ("recorded", "route")
    example = "rtb-0abcdef1234567890"
    named: ClassVar[Mapping[str, str]] = {"destination": _TO}

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        ec2 = self.aws.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self._id = str(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
        if tags:
            ec2.create_tags(Resources=[self._id], Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        self._recorded = given.get("recorded", "nat")
        if self._recorded:
            value = f"0.0.0.0/0 {_GATEWAYS['igw']}\n{_TO} {_GATEWAYS[self._recorded]}\n"
            self.aws.client("ssm").put_parameter(Name=f"{RECORDS}/{self._id}", Type="String", Value=value)
        if given.get("route"):
            self.set("route", given["route"])

    @property
    @override
    def target(self) -> str:
        return self._id

    @override
    def now(self, name: str) -> Any:
        if name == "recorded":
            return self._recorded
        routes = self.aws.client("ec2").describe_route_tables(RouteTableIds=[self._id])["RouteTables"][0]["Routes"]
        found: dict[str, Any] = next((route for route in routes if route.get("DestinationCidrBlock") == _TO), {})
        names = {gateway: kind for kind, gateway in _GATEWAYS.items()}
        return names.get(found.get("NatGatewayId") or found.get("GatewayId", ""))

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "route":
            return super().set(name, value)
        ec2, which = self.aws.client("ec2"), {"RouteTableId": self._id, "DestinationCidrBlock": _TO}
        if self.now("route"):
            ec2.delete_route(**which)
        if value:
            ec2.create_route(**which, **{"NatGatewayId" if value == "nat" else "GatewayId": _GATEWAYS[value]})
        return None
