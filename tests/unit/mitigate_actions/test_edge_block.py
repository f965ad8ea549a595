"""Blocking at the edge: what may be blocked, which sets are, and where web ACLs of CloudFront are changed."""

from dataclasses import replace
from typing import Any

import pytest

from incidentio.core.errors import Conflict, InvalidInput
from incidentio.mitigate.actions import prepared
from tests.unit.mitigate_actions.estate import PLACE


def block(addresses: str, *, scope: str = "REGIONAL") -> Any:
    target = f"AWS::WAFv2::WebACL|{PLACE.account}|{PLACE.region}|{scope}/shop"
    return prepared("block-addresses", {"ip_set": "attackers", "addresses": addresses}, target, PLACE)


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        ("", "name 1 to 20 addresses, not 0"),
        (" ".join(f"192.0.2.{n}" for n in range(21)), "not 21"),
        ("192.0.0.0/8", "too wide: at most /24"),
        ("0.0.0.0/0", "too wide"),
        ("2001:db8::/32", "too wide: at most /48"),
        ("10.1.2.3", "not an address of the internet"),
        ("169.254.169.254", "not an address of the internet"),
        ("::1", "not an address of the internet"),
        ("fe80::1", "not an address of the internet"),
        ("192.0.2.1/24", "has host bits set"),
        ("010.0.0.1", "does not appear to be an IPv4 or IPv6 network"),
        ("shop.example", "does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_what_may_not_be_blocked_is_told(addresses: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        block(addresses)


@pytest.mark.parametrize("addresses", ["192.0.2.7", "192.0.2.0/24,198.51.100.9", "2001:db8::/48, 2001:db8:1::1"])
def test_addresses_and_networks_of_the_internet_may(addresses: str) -> None:
    assert block(addresses).networks == sorted(block(addresses).networks)


SET = "arn:aws:wafv2:eu-west-1:111122223333:regional/ipset/attackers/id-1"
MATCHES: dict[str, Any] = {"IPSetReferenceStatement": {"ARN": SET}}
OTHER: dict[str, Any] = {"GeoMatchStatement": {"CountryCodes": ["XX"]}}


@pytest.mark.parametrize(
    ("action", "statement", "blocked"),
    [
        ("Block", MATCHES, True),
        ("Block", {"OrStatement": {"Statements": [OTHER, MATCHES]}}, True),
        ("Block", {"AndStatement": {"Statements": [OTHER, MATCHES]}}, False),
        ("Block", {"NotStatement": {"Statement": MATCHES}}, False),
        ("Count", MATCHES, False),
        ("Allow", MATCHES, False),
    ],
)
def test_only_a_set_whose_every_address_is_blocked_is_filled(action: str, statement: Any, *, blocked: bool) -> None:
    acl = {"Rules": [{"Action": {action: {}}, "Statement": statement}]}
    if blocked:
        assert block("192.0.2.7")._ip_set_arn(acl) == SET
    else:
        with pytest.raises(Conflict, match="those it blocks are none"):
            block("192.0.2.7")._ip_set_arn(acl)


def test_a_web_acl_of_cloudfront_is_changed_where_it_lives_only() -> None:
    def nobody(*_: Any, **__: Any) -> dict[str, Any]:
        raise AssertionError("nothing is asked of AWS")

    with pytest.raises(Conflict, match="changed in us-east-1, and this is eu-west-1"):
        block("192.0.2.7", scope="CLOUDFRONT").read(nobody)
    commands = block("192.0.2.7", scope="CLOUDFRONT").commands(None)
    assert all("--scope CLOUDFRONT --region us-east-1" in line for line in (*commands.look, *commands.do))


def test_what_others_put_there_stays_and_so_does_the_description() -> None:
    kept: dict[str, Any] = {}

    def call(_service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "list_web_acls":
                first = "NextMarker" not in parameters
                return {"WebACLs": [{"Name": "other" if first else "shop", "Id": "acl"}], "NextMarker": "more"}
            case "get_web_acl":
                return {"WebACL": {"Rules": [{"Action": {"Block": {}}, "Statement": MATCHES}]}, "LockToken": "acl"}
            case "get_ip_set":
                addresses = ["198.51.100.9/32", "192.0.2.7/32"]
                found = {"Name": "attackers", "Id": "id-1", "Description": "ours", "Addresses": addresses}
                return {"IPSet": found, "LockToken": "token"}
        kept.update(parameters)
        return {}

    block("192.0.2.7,192.0.2.8").write(call, ["192.0.2.8/32"])
    assert kept["Addresses"] == ["198.51.100.9/32", "192.0.2.8/32"]
    assert (kept["LockToken"], kept["Description"]) == ("token", "ours")


def test_in_us_east_1_it_is_changed() -> None:
    place = replace(PLACE, region="us-east-1")
    target = f"AWS::WAFv2::WebACL|{place.account}|us-east-1|CLOUDFRONT/shop"
    doing = prepared("block-addresses", {"ip_set": "attackers", "addresses": "192.0.2.7"}, target, place)

    def call(_service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        assert parameters["Scope"] == "CLOUDFRONT"
        if operation == "list_web_acls":
            return {"WebACLs": [{"Name": "shop", "Id": "acl"}]}
        if operation == "get_web_acl":
            return {"WebACL": {"Rules": [{"Action": {"Block": {}}, "Statement": MATCHES}]}, "LockToken": "acl"}
        return {"IPSet": {"Addresses": ["192.0.2.7/32"]}, "LockToken": "token"}

    assert doing.read(call) == ["192.0.2.7/32"]
