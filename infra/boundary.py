"""The most any action function can ever do, whatever somebody attaches to its role: a permissions boundary.

A boundary grants nothing. What it does not allow is refused, and what it denies is refused whoever allows it:
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from collections.abc import Iterable, Sequence
from typing import Any

from incidentio.mitigate.actions import Statement
from incidentio.mitigate.actions.action import ALLOWED, AUTOMATION_TAG, SYSTEM_TAG

OWN = ("logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments")
"""What every function does on its own account: it writes its log, which carries our tag, and its traces."""

_NEVER_OURSELVES: dict[str, Any] = {
    "Sid": "NeverOurselves",
    "Effect": "Deny",
    "NotAction": list(OWN),
    "Resource": "*",
    "Condition": {"Null": {f"aws:ResourceTag/{SYSTEM_TAG}": "false"}},
}


def boundary(statements: Iterable[Statement], *, table_arn: str) -> list[dict[str, Any]]:
    """The boundary of all action functions, as statements of a policy. `statements` is all that playbooks declare.

    Whole services, so that it fits the 6,144 characters of a managed policy; of IAM only the actions named.
    """
    named = {action for statement in statements for action in statement.actions}
    services = {f"{action.partition(':')[0]}:*" for action in named if not action.startswith("iam:")}
    limits = sorted(services | {action for action in named if action.startswith("iam:")} | set(OWN))
    return [
        {"Sid": "WhatPlaybooksTouch", "Effect": "Allow", "Action": limits, "Resource": "*"},
        {"Sid": "NothingElse", "Effect": "Deny", "NotAction": limits, "Resource": "*"},
        _NEVER_OURSELVES,
        {
            "Sid": "NeverOurTable",
            "Effect": "Deny",
            "Action": "dynamodb:*",
            "Resource": [table_arn, f"{table_arn}/*"],
        },
    ]


def denied(statements: Sequence[Statement], *, only_allowed: bool = False) -> list[dict[str, Any]]:
    """What ends the policy of one action function: all its playbook does not declare, and all that is ours.

    `only_allowed`: and all whose tag says that automation is not allowed. Where IAM is told of no tags, the action
    looks at them itself.

    The boundary says the second as well; the local target heeds tags only where a role's own policy names them.
    """
    declared = sorted({action for statement in statements for action in statement.actions} | set(OWN))
    tag = f"aws:ResourceTag/{AUTOMATION_TAG}"
    not_allowed = {
        **_NEVER_OURSELVES,
        "Sid": "NotAllowed",
        "Condition": {"Null": {tag: "false"}, "StringNotEquals": {tag: ALLOWED}},
    }
    return [
        {"Sid": "NothingElse", "Effect": "Deny", "NotAction": declared, "Resource": "*"},
        _NEVER_OURSELVES,
        *([not_allowed] if only_allowed else []),
    ]
