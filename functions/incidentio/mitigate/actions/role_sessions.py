"""`revoke-sessions`: an inline policy that denies a role everything to sessions that began before now.

As the console's "Revoke active sessions" does:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
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

POLICY = "incidentio-revoke-older-sessions"


class RevokeSessions(Action[Parameters]):
    """The value is the time before which sessions are denied, as `2026-03-01T12:00:00Z`; None: no policy."""

    name = "revoke-sessions"
    target_type = "AWS::IAM::Role"
    target_pattern = r"[A-Za-z0-9+=,.@_-]{1,64}"
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                actions=("iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:PutRolePolicy"),
                resources=(f"arn:{place.partition}:iam::{place.account}:role/*",),
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"revoked sessions of role {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"role {self.target}"

    @override
    def said(self, value: Value) -> str:
        return "none" if value is None else f"those before {value}"

    @override
    def read(self, call: Call) -> Value:
        call("iam", "get_role", RoleName=self.target)
        try:
            policy = call("iam", "get_role_policy", RoleName=self.target, PolicyName=POLICY)["PolicyDocument"]
        except NotFound:
            return None
        before = policy["Statement"][0].get("Condition", {}).get("DateLessThan", {}).get("aws:TokenIssueTime")
        if policy != _policy(before):
            raise Conflict(f"policy {POLICY} of role {self.target} is not one that revokes sessions: look at it first")
        return str(before)

    @override
    def wanted(self, before: Value) -> Value:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @override
    def guard(self, call: Call, change: Change) -> None:
        role = call("iam", "get_role", RoleName=self.target)["Role"]
        refuse_system(self.resource, {tag["Key"]: tag["Value"] for tag in role.get("Tags", ())})
        if role["Path"].startswith("/aws-service-role/"):
            raise Conflict(f"role {self.target} is linked to an AWS service: only that service may change it")
        if role["Path"].startswith("/aws-reserved/"):
            raise Conflict(f"role {self.target} belongs to IAM Identity Center: revoke its sessions there")

    @override
    def write(self, call: Call, value: Value) -> None:
        which = {"RoleName": self.target, "PolicyName": POLICY}
        if value is None:
            call("iam", "delete_role_policy", **which)
        else:
            call("iam", "put_role_policy", **which, PolicyDocument=json.dumps(_policy(value)))

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = f"--role-name {shlex.quote(self.target)} --policy-name {POLICY}"
        delete = f"aws iam delete-role-policy {which}"

        def put(before: str) -> str:
            return f"aws iam put-role-policy {which} --policy-document {shlex.quote(json.dumps(_policy(before)))}"

        if change:
            return Commands(do=(put(change.after),), undo=(delete if change.before is None else put(change.before),))
        # The time is the shell's, so the document is closed and opened again around it.
        now = put("NOW").replace("NOW", "'\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"'")
        get = f"aws iam get-role-policy {which} --query PolicyDocument --output json"
        # Any other error says nothing about the policy.
        look = f'{get} || {{ [[ "$({get} 2>&1)" == *NoSuchEntity* ]] && echo None; }}'
        again = f'aws iam put-role-policy {which} --policy-document "${keep}"'
        return Commands(
            look=(f"{keep}=$({look})",),
            do=(now,),
            undo=(f'if [ "${keep}" = None ]; then {delete}; else {again}; fi',),
        )


def _policy(before: str | None) -> dict[str, Any]:
    condition = {"DateLessThan": {"aws:TokenIssueTime": before}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}
