"""An EventBridge rule in EventBridge's own pattern language, with what it may invoke."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.function import Function


@dataclass(frozen=True, kw_only=True)
class Target:
    """A function or a queue, and the constant input it gets in place of the event."""

    to: Function | sqs.IQueue
    input: Mapping[str, Any] | None = None

    @property
    def arn(self) -> str:
        return self.to.function.function_arn if isinstance(self.to, Function) else self.to.queue_arn


class Rule(Construct):
    """A rule on a bus (`pattern`) or on the clock (`schedule`). Exposes `name` and `arn`.

    What a target does not take in 24 hours goes to `dead_letters`, whose policy must let our rules in.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        description: str,
        targets: Sequence[Target],
        dead_letters: sqs.IQueue,
        pattern: Mapping[str, Any] | None = None,
        schedule: str | None = None,
        bus_name: str | None = None,
    ) -> None:
        super().__init__(scope, id)
        rule = events.CfnRule(
            self,
            "Rule",
            description=description,
            event_bus_name=bus_name,
            event_pattern=pattern,
            schedule_expression=schedule,
            targets=[
                events.CfnRule.TargetProperty(
                    id=f"Target{number}",
                    arn=target.arn,
                    input=json.dumps(target.input) if target.input is not None else None,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
                )
                for number, target in enumerate(targets)
            ],
        )
        self.name = rule.ref
        self.arn = rule.attr_arn
        for number, target in enumerate(targets):
            if isinstance(target.to, Function):
                lambda_.CfnPermission(
                    self,
                    f"Invoke{number}",
                    action="lambda:InvokeFunction",
                    function_name=target.to.function.function_arn,
                    principal="events.amazonaws.com",
                    source_arn=rule.attr_arn,
                )
