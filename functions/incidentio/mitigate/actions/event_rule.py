"""`disable-rule`: stop an EventBridge rule from matching events or firing on its schedule."""

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict
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


class EventRule(Parameters):
    rule: Annotated[str, Field(pattern=r"^[.\-_A-Za-z0-9]{0,64}$", description="name of the rule; empty skips")]
    bus: Annotated[str, Field(pattern=r"^[/.\-_A-Za-z0-9]{1,256}$", description="bus the rule is on")] = "default"
    max_targets: Annotated[int, Field(ge=1, le=5, description="refuse a rule that feeds more targets than this")] = 1


class DisableRule(Action[EventRule]):
    name = "disable-rule"
    target_type = None
    parameters: ClassVar[type[Parameters]] = EventRule

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        rule, bus = literal(given.get("rule"), "*"), literal(given.get("bus", "default"), "*")
        # A rule on the default bus has no bus in its ARN; a bus only known at run time may be that one.
        resource = {"default": f"rule/{rule}", "*": "rule/*"}.get(bus, f"rule/{bus}/{rule}")
        actions = ("DescribeRule", "DisableRule", "EnableRule", "ListTagsForResource", "ListTargetsByRule")
        return (
            Statement(
                actions=tuple(f"events:{action}" for action in actions), resources=(place.arn("events", resource),)
            ),
        )

    @override
    def skipped(self) -> str | None:
        return None if self.given.rule else "no rule was named: nothing to disable"

    @property
    @override
    def subject(self) -> str:
        return f"rule {self.given.rule} on bus {self.given.bus}"

    def _which(self) -> dict[str, Any]:
        return {"EventBusName": self.given.bus}

    @override
    def read(self, call: Call) -> Value:
        return str(call("events", "describe_rule", Name=self.given.rule, **self._which())["State"])

    @override
    def wanted(self, before: Value) -> Value:
        if before not in ("ENABLED", "DISABLED"):
            raise Conflict(f"{self.subject} is {before}: enabling it again would not give that state back")
        return "DISABLED"

    @override
    def guard(self, call: Call, change: Change) -> None:
        rule = call("events", "describe_rule", Name=self.given.rule, **self._which())
        if owner := rule.get("ManagedBy"):
            raise Conflict(f"{self.subject} is managed by {owner}: only that service may change it")
        tags = call("events", "list_tags_for_resource", ResourceARN=rule["Arn"]).get("Tags", ())
        refuse_system(self.subject, {t["Key"]: t.get("Value", "") for t in tags})
        fed = call("events", "list_targets_by_rule", Rule=self.given.rule, **self._which()).get("Targets", ())
        if len(fed) > self.given.max_targets:
            raise Conflict(
                f"{self.subject} feeds {len(fed)} targets ({', '.join(t['Arn'] for t in fed)}): "
                f"disabling it would stop them all, and max_targets is {self.given.max_targets}"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        operation = "disable_rule" if value == "DISABLED" else "enable_rule"
        call("events", operation, Name=self.given.rule, **self._which())

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = (
            f"--name {shlex.quote(self.given.rule)} --event-bus-name {shlex.quote(self.given.bus)} "
            f"--region {self.place.region}"
        )
        if change:
            undo = () if change.before == "DISABLED" else (f"aws events enable-rule {which}",)
            return Commands(do=(f"aws events disable-rule {which}",), undo=undo)
        return Commands(
            look=(f"{keep}=$(aws events describe-rule {which} --query State --output text)",),
            do=(f"aws events disable-rule {which}",),
            undo=(f'if [ "${keep}" = ENABLED ]; then aws events enable-rule {which}; fi',),
        )
