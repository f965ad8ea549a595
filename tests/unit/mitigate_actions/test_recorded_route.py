"""Restoring a route: every kind of target, both IP versions, and what could not be given back."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, InvalidInput
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.estate import PLACE


def restore(destination: str = "10.20.0.0/16") -> Any:
    target = f"AWS::EC2::RouteTable|{PLACE.account}|{PLACE.region}|rtb-0abcdef12"
    return prepared("restore-route", {"destination": destination}, target, PLACE)


class Table:
    def __init__(self, *routes: dict[str, Any], record: str) -> None:
        self.routes, self.record = routes, record
        self.changes: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "get_parameter":
                return {"Parameter": {"Value": self.record}}
            case "describe_route_tables":
                return {"RouteTables": [{"Routes": list(self.routes)}]}
        self.changes.append((operation, parameters))
        return {}


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("igw-1", "GatewayId"),
        ("vgw-1", "GatewayId"),
        ("nat-1", "NatGatewayId"),
        ("tgw-1", "TransitGatewayId"),
        ("pcx-1", "VpcPeeringConnectionId"),
        ("eni-1", "NetworkInterfaceId"),
        ("vpce-1", "VpcEndpointId"),
        ("eigw-1", "EgressOnlyInternetGatewayId"),
        ("lgw-1", "LocalGatewayId"),
    ],
)
def test_every_kind_of_target_is_written_and_read(target: str, field: str) -> None:
    table = Table(record=f"10.20.0.0/16  {target}\n")
    doing = restore()
    compare_and_set.apply(doing, table, compare_and_set.snapshot(doing, table)["snapshot"])
    which = {"RouteTableId": "rtb-0abcdef12", "DestinationCidrBlock": "10.20.0.0/16"}
    assert table.changes == [("create_route", {**which, field: target})]
    there = Table({"DestinationCidrBlock": "10.20.0.0/16", field: target}, record=table.record)
    assert doing.read(there) == {"now": target, "recorded": target}


def test_ipv6_has_a_field_of_its_own() -> None:
    table = Table(record="2001:db8::/32 eigw-1")
    restore("2001:db8::/32").write(table, {"now": "eigw-1", "recorded": "eigw-1"})
    ((_, sent),) = table.changes
    assert sent["DestinationIpv6CidrBlock"] == "2001:db8::/32"
    assert "--destination-ipv6-cidr-block 2001:db8::/32" in restore("2001:db8::/32").commands(None).do[1]


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ({"GatewayId": "local", "Origin": "CreateRouteTable"}, "that of the VPC itself"),
        ({"CarrierGatewayId": "cagw-1"}, "could not give back"),
        ({"CoreNetworkArn": "arn:aws:networkmanager::1:core-network/c"}, "could not give back"),
    ],
)
def test_what_could_not_be_given_back_is_left_alone(route: dict[str, Any], told: str) -> None:
    table = Table({"DestinationCidrBlock": "10.20.0.0/16", **route}, record="10.20.0.0/16 tgw-1")
    with pytest.raises(Conflict, match=told):
        compare_and_set.snapshot(restore(), table)


@pytest.mark.parametrize("record", ["10.20.0.0/16 elsewhere", "10.20.0.0/16", "10.20.0.0/16 i-0abc"])
def test_a_recorded_target_that_is_none_is_told(record: str) -> None:
    with pytest.raises(Conflict, match="a target begins with eigw, eni, igw, "):
        restore().read(Table(record=record))


@pytest.mark.parametrize("destination", ["10.20.0.1/16", "everywhere", "10.20.0.0/33", ""])
def test_a_destination_is_a_network(destination: str) -> None:
    with pytest.raises(InvalidInput):
        restore(destination)
