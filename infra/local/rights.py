"""Where the emulator checks a call against another resource than AWS does, a local policy names every resource.

Which calls a function may make is still enforced; on which rule, schedule, service, alarm or task is not.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MISPLACED: Mapping[str, str] = {
    "cloudfront:ListTagsForResource": "*",
    "appconfig:ListTagsForResource": "*",
    "cloudwatch:ListTagsForResource": "*",
    "dynamodb:ListTagsOfResource": "*",
    "ec2:CreateTags": "*",
    "ec2:DeleteTags": "*",
    "ecs:DescribeClusters": "*",
    "ecs:DescribeServices": "the cluster",
    "ecs:DescribeTasks": "the cluster",
    "ecs:UpdateService": "the cluster",
    "events:DescribeRule": "rule/default/<name> on the default bus",
    "events:DisableRule": "rule/default/<name> on the default bus",
    "events:EnableRule": "rule/default/<name> on the default bus",
    "events:ListTagsForResource": "*",
    "events:ListTargetsByRule": "the event bus",
    "rds:DescribePendingMaintenanceActions": "*",
    "scheduler:GetSchedule": "the default group",
    "scheduler:ListTagsForResource": "*",
    "scheduler:UpdateSchedule": "the default group",
    "states:SendTaskFailure": "*",
    "states:SendTaskSuccess": "*",
    "wafv2:GetIPSet": "a web ACL of that name",
    "wafv2:ListTagsForResource": "*",
    "wafv2:UpdateIPSet": "a web ACL of that name",
}
"""IAM action → what the emulator checks it against."""

IMPLIED: Mapping[str, str] = {"sqs:SendMessage": "sqs:SendMessageBatch"}
"""IAM action → what the emulator asks for where AWS asks for that action."""

TOLD = (
    f"rights of {', '.join(sorted({action.split(':')[0] for action in MISPLACED}))} hold for every resource where the "
    "emulator checks a call against another ARN than AWS does; where it asks for another right, that one is given too"
)


def widened(statements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The statements of a policy document for the emulator; Deny statements and all other actions stay as they are."""
    return [part for statement in statements for part in _parts(statement)]


def _parts(statement: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "NotAction" in statement:
        spared = list(statement["NotAction"])
        yield {**statement, "NotAction": [*spared, *(IMPLIED[action] for action in spared if action in IMPLIED)]}
        return
    written = statement.get("Action", [])
    actions = [written] if isinstance(written, str) else list(written)
    if statement.get("Effect") == "Allow" and (implied := [IMPLIED[a] for a in actions if a in IMPLIED]):
        actions += implied
        statement = {**statement, "Action": actions}
    misplaced = [action for action in actions if action in MISPLACED]
    if statement.get("Effect") != "Allow" or not misplaced:
        yield dict(statement)
        return
    if kept := [action for action in actions if action not in MISPLACED]:
        yield {**statement, "Action": kept}
    yield {key: value for key, value in statement.items() if key != "Sid"} | {"Action": misplaced, "Resource": "*"}
