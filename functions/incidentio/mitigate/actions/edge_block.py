"""`block-addresses`: add addresses to an IP set that a rule of a WAF web ACL blocks.

https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateIPSet.html
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import web_acl
from incidentio.mitigate.actions.action import Call, Change, Commands, Parameters, Place, Statement, Value

MOST = 20
WIDEST = {4: 24, 6: 48}
"""The shortest prefix that may be blocked: about one site's."""
_OWN = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::/127", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""Addresses that are never somebody on the internet: health checks and our own callers have them."""


class Blocked(Parameters):
    ip_set: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="name of the IP set")]
    addresses: str = Field(max_length=1024, description="addresses and networks, with commas between them")

    @field_validator("addresses")
    @classmethod
    def _may_be_blocked(cls, text: str) -> str:
        networks = _networks(text)
        if not 1 <= len(networks) <= MOST:
            raise ValueError(f"name 1 to {MOST} addresses, not {len(networks)}")
        for network in networks:
            if network.prefixlen < WIDEST[network.version]:
                raise ValueError(f"{network} is too wide: at most /{WIDEST[network.version]} may be blocked at once")
            if any(own.version == network.version and network.subnet_of(own) for own in _OWN):  # type: ignore[arg-type]
                raise ValueError(f"{network} is not an address of the internet")
        return text


class BlockAddresses(web_acl.OnWebAcl[Blocked]):
    """The value is those of `addresses` that are in the set, sorted: what others put there is theirs."""

    name = "block-addresses"
    parameters: ClassVar[type[Parameters]] = Blocked

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            *web_acl.reading(place),
            Statement(actions=("wafv2:GetIPSet", "wafv2:UpdateIPSet"), resources=web_acl.arns(place, "ipset")),
            Statement(actions=("wafv2:ListTagsForResource",), resources=web_acl.arns(place, "webacl", "ipset")),
        )

    @property
    def networks(self) -> list[str]:
        return sorted(str(network) for network in _networks(self.given.addresses))

    @property
    @override
    def subject(self) -> str:
        return f"what IP set {self.given.ip_set} of web ACL {self.acl} has of {', '.join(self.networks)}"

    @override
    def said(self, value: Value) -> str:
        return ", ".join(value) or "none"

    def _ip_set_arn(self, acl: Mapping[str, Any]) -> str:
        """The ARN of the set, as a rule that blocks it names it.

        Raises:
            Conflict: no rule does; a set that a rule allows must not get attackers in.
        """
        blocked = [
            arn
            for rule in acl.get("Rules", ())
            if "Block" in rule.get("Action", {})
            for arn in _sets_matched(rule["Statement"])
        ]
        for arn in blocked:
            if arn.split("/")[-2] == self.given.ip_set:
                return arn
        known = ", ".join(sorted({arn.split("/")[-2] for arn in blocked})) or "none"
        raise Conflict(
            f"no rule of web ACL {self.acl} blocks the addresses of IP set {self.given.ip_set}: "
            f"those it blocks are {known}"
        )

    def _ip_set(self, call: Call) -> tuple[dict[str, Any], str]:
        """The set and the token that a change of it must carry."""
        arn = self._ip_set_arn(web_acl.found(call, self.target, self.place)[0])
        which = {"Name": self.given.ip_set, "Scope": self.scope, "Id": arn.split("/")[-1]}
        answer = call("wafv2", "get_ip_set", **which)
        return answer["IPSet"], answer["LockToken"]

    @override
    def read(self, call: Call) -> Value:
        found = {str(ip_network(address)) for address in self._ip_set(call)[0]["Addresses"]}
        return [network for network in self.networks if network in found]

    @override
    def wanted(self, before: Value) -> Value:
        if before == self.networks:
            raise Conflict(f"IP set {self.given.ip_set} has {', '.join(self.networks)} already")
        return self.networks

    @override
    def guard(self, call: Call, change: Change) -> None:
        acl, _ = web_acl.found(call, self.target, self.place)
        ip_set, _ = self._ip_set(call)
        web_acl.refuse_our_own(call, f"web ACL {self.acl}", acl["ARN"])
        web_acl.refuse_our_own(call, f"IP set {self.given.ip_set}", ip_set["ARN"])
        version = 6 if ip_set["IPAddressVersion"] == "IPV6" else 4
        if wrong := [n for n in _networks(self.given.addresses) if n.version != version]:
            raise Conflict(f"IP set {self.given.ip_set} holds IPv{version} addresses, and {wrong[0]} is none")

    @override
    def write(self, call: Call, value: Value) -> None:
        """WAF refuses the change when the set changed since it was read; it is then tried again."""
        ip_set, token = self._ip_set(call)
        others = [address for address in ip_set["Addresses"] if str(ip_network(address)) not in self.networks]
        call(
            "wafv2",
            "update_ip_set",
            Name=ip_set["Name"],
            Scope=self.scope,
            Id=ip_set["Id"],
            Addresses=[*others, *value],
            LockToken=token,
            **({"Description": ip_set["Description"]} if ip_set.get("Description") else {}),
        )

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        where = f"--scope {self.scope} --region {web_acl.region_of(self.scope, self.place)}"
        name = shlex.quote(self.given.ip_set)
        sets = shlex.quote(f"IPSets[?Name=='{self.given.ip_set}'].Id")
        id_ = f'--id "$(aws wafv2 list-ip-sets {where} --query {sets} --output text)"'
        get = f"aws wafv2 get-ip-set {where} --name {name} {id_}"
        program = {
            "do": f"(.IPSet.Addresses + {json.dumps(self.networks)} | unique)",
            "undo": f"(.IPSet.Addresses - {json.dumps(self._to_remove(change))})",
        }

        def update(addresses: str) -> str:
            whole = f"{{Addresses: {addresses}, LockToken, Name: .IPSet.Name, Id: .IPSet.Id}}"
            return f'aws wafv2 update-ip-set {where} --cli-input-json "$({get} | jq -c {shlex.quote(whole)})"'

        return Commands(
            look=() if change else (f"{keep}=$({get} --query IPSet.Addresses --output json)",),
            do=(update(program["do"]),),
            undo=(update(program["undo"]),),
        )

    def _to_remove(self, change: Change | None) -> list[str]:
        return [network for network in self.networks if not change or network not in change.before]


def _networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Raises ValueError: one of them is neither an address nor a network."""
    return [ip_network(part) for part in text.replace(",", " ").split()]


def _sets_matched(statement: Mapping[str, Any]) -> Iterator[str]:
    """ARNs of the IP sets of which one address is enough for the statement to match."""
    if reference := statement.get("IPSetReferenceStatement"):
        yield reference["ARN"]
    for inner in statement.get("OrStatement", {}).get("Statements", ()):
        yield from _sets_matched(inner)
