"""A WAF web ACL of one Region, with a rule about an IP set and one that counts too many requests of an address."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from infra.cases.estate import Estate


class WebAcl(Estate):
    """`addresses`: those of the IP set, sorted. `rule` is what the ACL does with them: `Block` or `Allow`.

    `rate_action` and `rate_limit` are those of the rule `flood`: `Count` from 2000 requests on unless given.
    """

    values = ("addresses", "rate_action", "rate_limit", "rule")
    example = "REGIONAL/shop"
    named: ClassVar[Mapping[str, str]] = {
        "ip_set": "attackers",
        "addresses": "192.0.2.7",
        "rule": "flood",
    }
    namespace, metric = "AWS/WAFV2", "AllowedRequests"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        waf = self.aws.client("wafv2")
        self._acl, self._set = f"shop-{self.aws.tag}", f"attackers-{self.aws.tag}"
        self._rule = given.get("rule", "Block")
        made = waf.create_ip_set(
            Name=self._set, Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=given.get("addresses", [])
        )["Summary"]
        self._set_id = str(made["Id"])
        seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True}
        acl = waf.create_web_acl(
            Name=self._acl,
            Scope="REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig={**seen, "MetricName": self._acl},
            Rules=[
                {
                    "Name": "attackers",
                    "Priority": 0,
                    "Statement": {"IPSetReferenceStatement": {"ARN": made["ARN"]}},
                    "Action": {self._rule: {}},
                    "VisibilityConfig": {**seen, "MetricName": "attackers"},
                },
                {
                    "Name": "flood",
                    "Priority": 1,
                    "Statement": {
                        "RateBasedStatement": {"Limit": given.get("rate_limit", 2000), "AggregateKeyType": "IP"}
                    },
                    "Action": {given.get("rate_action", "Count"): {}},
                    "VisibilityConfig": {**seen, "MetricName": "flood"},
                },
            ],
            **({"Tags": [{"Key": k, "Value": v} for k, v in tags.items()]} if tags else {}),
        )
        self._acl_id = str(acl["Summary"]["Id"])
        self.parameters["ip_set"] = self._set

    @property
    @override
    def target(self) -> str:
        return f"REGIONAL/{self._acl}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"WebACL": self._acl, "Region": self.aws.region, "Rule": "ALL"}

    @override
    def now(self, name: str) -> Any:
        match name:
            case "rule":
                return self._rule
            case "addresses":
                return sorted(self._found()["IPSet"]["Addresses"])
        flood = self._web_acl()["WebACL"]["Rules"][1]
        return (
            next(iter(flood["Action"])) if name == "rate_action" else flood["Statement"]["RateBasedStatement"]["Limit"]
        )

    @override
    def set(self, name: str, value: Any) -> None:
        if name == "rate_limit":
            acl, waf = self._web_acl(), self.aws.client("wafv2")
            rules = acl["WebACL"]["Rules"]
            rules[1]["Statement"]["RateBasedStatement"]["Limit"] = value
            kept = {key: acl["WebACL"][key] for key in ("Name", "Id", "DefaultAction", "VisibilityConfig")}
            waf.update_web_acl(**kept, Scope="REGIONAL", Rules=rules, LockToken=acl["LockToken"])
            return None
        if name != "addresses":
            return super().set(name, value)
        self.aws.client("wafv2").update_ip_set(**self._which, Addresses=value, LockToken=self._found()["LockToken"])
        return None

    @property
    def _which(self) -> dict[str, str]:
        return {"Name": self._set, "Scope": "REGIONAL", "Id": self._set_id}

    def _web_acl(self) -> Any:
        return self.aws.client("wafv2").get_web_acl(Name=self._acl, Scope="REGIONAL", Id=self._acl_id)

    def _found(self) -> Any:
        return self.aws.client("wafv2").get_ip_set(**self._which)
