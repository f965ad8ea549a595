"""`enforce-rate-rule`: let a rate-based rule of a WAF web ACL block instead of count, or from fewer requests on.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html
"""

import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import web_acl
from incidentio.mitigate.actions.action import Call, Change, Commands, Parameters, Place, Statement, Value

_NOT_WRITABLE = (
    "ARN",
    "Capacity",
    "LabelNamespace",
    "ManagedByFirewallManager",
    "PostProcessFirewallManagerRuleGroups",
    "PreProcessFirewallManagerRuleGroups",
    "RetrofittedByFirewallManager",
)
LOWEST = 10
"""Requests of one address that WAF can count to at least.

https://docs.aws.amazon.com/waf/latest/APIReference/API_RateBasedStatement.html
"""


class RateRule(Parameters):
    rule: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="name of a rate-based rule of the web ACL")
    ]
    limit: int = Field(
        ge=LOWEST, le=2_000_000_000, description="requests of one address in the rule's window; never raises the limit"
    )


class EnforceRateRule(web_acl.OnWebAcl[RateRule]):
    """The value is what the rule does and from when on: `{"action": "Count", "limit": 2000}`."""

    name = "enforce-rate-rule"
    parameters: ClassVar[type[Parameters]] = RateRule

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        # Writing an ACL asks for the right on whatever its rules refer to.
        written = web_acl.arns(place, "webacl", "ipset", "regexpatternset", "rulegroup", "managedruleset")
        return (
            *web_acl.reading(place),
            Statement(actions=("wafv2:ListTagsForResource",), resources=web_acl.arns(place, "webacl")),
            Statement(actions=("wafv2:UpdateWebACL",), resources=written),
        )

    @property
    @override
    def subject(self) -> str:
        return f"rule {self.given.rule} of web ACL {self.acl}"

    @override
    def said(self, value: Value) -> str:
        return f"{value['action']} from {value['limit']} requests on"

    def _rule(self, acl: Mapping[str, Any]) -> dict[str, Any]:
        """Raises Conflict: there is no such rule, or it is not a rate-based one that counts or blocks."""
        rules: list[dict[str, Any]] = [r for r in acl["Rules"] if "RateBasedStatement" in r["Statement"]]
        for rule in rules:
            if rule["Name"] == self.given.rule:
                if not {"Count", "Block"} & set(rule.get("Action", {})):
                    raise Conflict(f"{self.subject} neither counts nor blocks: a playbook leaves it as it is")
                return rule
        known = ", ".join(rule["Name"] for rule in rules) or "none"
        raise Conflict(f"web ACL {self.acl} has no rate-based rule {self.given.rule}: those it has are {known}")

    @override
    def read(self, call: Call) -> Value:
        rule = self._rule(web_acl.found(call, self.target, self.place)[0])
        (action,) = rule["Action"]
        return {"action": action, "limit": int(rule["Statement"]["RateBasedStatement"]["Limit"])}

    @override
    def wanted(self, before: Value) -> Value:
        after = {"action": "Block", "limit": min(self.given.limit, before["limit"])}
        if after == before:
            raise Conflict(f"{self.subject} blocks from {before['limit']} requests on already: it is never made laxer")
        return after

    @override
    def guard(self, call: Call, change: Change) -> None:
        acl, _ = web_acl.found(call, self.target, self.place)
        web_acl.refuse_our_own(call, f"web ACL {self.acl}", acl["ARN"])
        custom = self._rule(acl)["Action"].get(change.before["action"])
        if custom and change.before["action"] != change.after["action"]:
            raise Conflict(
                f"{self.subject} adds headers or a response of its own to what it does: "
                "changing that action would lose them"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        """The whole ACL goes back as it was read; WAF refuses it if it changed meanwhile, and it is tried again."""
        acl, token = web_acl.found(call, self.target, self.place)
        rules = [self._with(rule, value) if rule["Name"] == self.given.rule else rule for rule in acl["Rules"]]
        # An empty description is told by some, and taken by none.
        whole = {key: given for key, given in acl.items() if key not in _NOT_WRITABLE and given != ""}
        call("wafv2", "update_web_acl", **{**whole, "Rules": rules, "Scope": self.scope, "LockToken": token})

    def _with(self, rule: Mapping[str, Any], value: Value) -> dict[str, Any]:
        statement = {**rule["Statement"]["RateBasedStatement"], "Limit": value["limit"]}
        action = {value["action"]: rule["Action"].get(value["action"], {})}
        return {**rule, "Action": action, "Statement": {"RateBasedStatement": statement}}

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        where = f"--scope {self.scope} --region {web_acl.region_of(self.scope, self.place)}"
        ids = shlex.quote(f"WebACLs[?Name=='{self.acl}'].Id")
        id_ = f'--id "$(aws wafv2 list-web-acls {where} --query {ids} --output text)"'
        get = f"aws wafv2 get-web-acl {where} --name {self.acl} {id_}"
        rule = json.dumps(self.given.rule)
        path = ".Statement.RateBasedStatement.Limit"

        def update(to_be: str, known: str = "") -> str:
            program = (
                f"(.WebACL.Rules[] | select(.Name == {rule})) |= ({to_be}) | "
                f".WebACL + {{LockToken}} | del({', '.join(f'.{key}' for key in _NOT_WRITABLE)})"
            )
            return f'aws wafv2 update-web-acl {where} --cli-input-json "$({get} | jq -c{known} {shlex.quote(program)})"'

        def set_to(value: Value) -> str:
            return update(f".Action = {{{json.dumps(value['action'])}: {{}}}} | {path} = {value['limit']}")

        if change:
            return Commands(do=(set_to(change.after),), undo=(set_to(change.before),))
        look = f"{get} | jq -c {shlex.quote(f'.WebACL.Rules[] | select(.Name == {rule}) | {{Action, Statement}}')}"
        lower = f"{path} = ([{path}, {self.given.limit}] | min)"
        return Commands(
            look=(f"{keep}=$({look})",),
            do=(update(f'.Action = {{"Block": {{}}}} | {lower}'),),
            undo=(update(". + $before", f' --argjson before "${keep}"'),),
        )
