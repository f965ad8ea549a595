"""An IAM user with an access key."""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate


class AccessKey(Estate):
    """`key`: `Active` or `Inactive`; somebody else may also have deleted it (`null`)."""

    values = ("key",)
    example = "deployer/MPLE"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        iam = self.aws.client("iam")
        self._user = f"deployer-{self.aws.tag}"
        iam.create_user(UserName=self._user, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
        self._key = str(iam.create_access_key(UserName=self._user)["AccessKey"]["AccessKeyId"])
        if given.get("key", "Active") != "Active":
            self.set("key", given["key"])

    @property
    @override
    def target(self) -> str:
        return f"{self._user}/{self._key[-6:]}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"UserName": self._user, "AccessKeyId": self._key[-6:]}

    @override
    def now(self, name: str) -> Any:
        keys = self.aws.client("iam").list_access_keys(UserName=self._user)["AccessKeyMetadata"]
        return next((key["Status"] for key in keys if key["AccessKeyId"] == self._key), None)

    @override
    def set(self, name: str, value: Any) -> None:
        iam, which = self.aws.client("iam"), {"UserName": self._user, "AccessKeyId": self._key}
        if value is None:
            iam.delete_access_key(**which)
        else:
            iam.update_access_key(**which, Status=value)
