"""`disable-access-key`: an IAM user's access key opens nothing any more, and can be made active again.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html
"""

import shlex
from collections.abc import Mapping
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


class NoParameters(Parameters):
    """The target says it all."""


class DisableAccessKey(Action[NoParameters]):
    name = "disable-access-key"
    target_type = "AWS::IAM::AccessKey"
    target_pattern = r"[A-Za-z0-9+=,.@_-]{1,64}/[A-Z0-9]{16,128}"
    parameters: ClassVar[type[Parameters]] = NoParameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                actions=("iam:ListAccessKeys", "iam:ListUserTags", "iam:UpdateAccessKey"),
                resources=(f"arn:{place.partition}:iam::{place.account}:user/*",),
            ),
        )

    @property
    def user(self) -> str:
        return self.target.split("/")[0]

    @property
    def key(self) -> str:
        return self.target.split("/")[1]

    @property
    @override
    def subject(self) -> str:
        return f"access key {self.key} of user {self.user}"

    @override
    def read(self, call: Call) -> Value:
        """A user has two keys at most, so there is one page."""
        for key in call("iam", "list_access_keys", UserName=self.user).get("AccessKeyMetadata", ()):
            if key["AccessKeyId"] == self.key:
                return str(key["Status"])
        raise NotFound(f"there is no {self.subject}")

    @override
    def wanted(self, before: Value) -> Value:
        if before != "Active":
            raise Conflict(f"{self.subject} is {before} already: there is nothing to disable")
        return "Inactive"

    @override
    def guard(self, call: Call, change: Change) -> None:
        more: dict[str, Any] = {}
        while True:
            answer = call("iam", "list_user_tags", UserName=self.user, **more)
            refuse_system(f"user {self.user}", {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())})
            if not answer.get("IsTruncated"):
                return
            more = {"Marker": answer["Marker"]}

    @override
    def write(self, call: Call, value: Value) -> None:
        call("iam", "update_access_key", UserName=self.user, AccessKeyId=self.key, Status=value)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = f"--user-name {shlex.quote(self.user)}"
        update = f"aws iam update-access-key {which} --access-key-id {self.key} --status"
        if change:
            return Commands(do=(f"{update} Inactive",), undo=(f"{update} {change.before}",))
        query = shlex.quote(f"AccessKeyMetadata[?AccessKeyId=='{self.key}'].Status")
        return Commands(
            look=(f"{keep}=$(aws iam list-access-keys {which} --query {query} --output text)",),
            do=(f"{update} Inactive",),
            undo=(f'{update} "${keep}"',),
        )
