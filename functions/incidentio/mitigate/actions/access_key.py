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


class DisableAccessKey(Action[Parameters]):
    name = "disable-access-key"
    target_type = "AWS::IAM::AccessKey"
    target_pattern = r"[A-Za-z0-9+=,.@_-]{1,64}/[A-Z0-9]{4,16}"
    """`user/ENDING`: the whole key is redacted wherever incidentio keeps or tells something."""
    parameters: ClassVar[type[Parameters]] = Parameters

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
    def ending(self) -> str:
        return self.target.split("/")[1]

    @property
    @override
    def subject(self) -> str:
        return f"access key …{self.ending} of user {self.user}"

    @override
    def read(self, call: Call) -> Value:
        return str(self._key(call)["Status"])

    def _key(self, call: Call) -> Mapping[str, Any]:
        """A user has two keys at most, so there is one page."""
        keys = call("iam", "list_access_keys", UserName=self.user).get("AccessKeyMetadata", ())
        found = [key for key in keys if key["AccessKeyId"].endswith(self.ending)]
        if not found:
            raise NotFound(f"there is no {self.subject}")
        if len(found) > 1:
            raise Conflict(f"{self.user} has {len(found)} keys that end in {self.ending}: give more of its characters")
        return dict(found[0])

    @override
    def wanted(self, before: Value) -> Value:
        if before != "Active":
            raise Conflict(f"{self.subject} is {before} already: there is nothing to disable")
        return "Inactive"

    @override
    def guard(self, call: Call, change: Change) -> None:
        tags: dict[str, str] = {}
        more: dict[str, Any] = {}
        while True:
            answer = call("iam", "list_user_tags", UserName=self.user, **more)
            tags |= {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}
            if not answer.get("IsTruncated"):
                break
            more = {"Marker": answer["Marker"]}
        refuse_system(f"user {self.user}", tags)

    @override
    def write(self, call: Call, value: Value) -> None:
        key = self._key(call)["AccessKeyId"]
        call("iam", "update_access_key", UserName=self.user, AccessKeyId=key, Status=value)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = f"--user-name {shlex.quote(self.user)}"
        listed = f"aws iam list-access-keys {which} --output text --query"
        own = f"AccessKeyMetadata[?ends_with(AccessKeyId, '{self.ending}')]"
        update = f'aws iam update-access-key {which} --access-key-id "$({listed} "{own}.AccessKeyId")" --status'
        if change:
            return Commands(do=(f"{update} Inactive",), undo=(f"{update} {change.before}",))
        return Commands(
            look=(f'{keep}=$({listed} "{own}.Status")',),
            do=(f"{update} Inactive",),
            undo=(f'{update} "${keep}"',),
        )
