"""An IAM role that services of the team use."""

import json
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from incidentio.mitigate.actions.role_sessions import POLICY
from infra.cases.estate import Estate

_LONG_AGO = "2001-01-01T00:00:00Z"


class Role(Estate):
    """`revoked`: `null`, `now`, or `long ago`: the time in its policy against older sessions. `path` of the role."""

    values = ("path", "revoked")
    example = "shop-web"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        self._name = f"web-{self.aws.tag}"
        self.aws.client("iam").create_role(
            RoleName=self._name,
            Path=given.get("path", "/"),
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        if given.get("revoked"):
            self.set("revoked", given["revoked"])

    @property
    @override
    def target(self) -> str:
        return self._name

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"RoleName": self._name}

    @override
    def now(self, name: str) -> Any:
        iam = self.aws.client("iam")
        if name == "path":
            return iam.get_role(RoleName=self._name)["Role"]["Path"]
        try:
            found = iam.get_role_policy(RoleName=self._name, PolicyName=POLICY)["PolicyDocument"]
        except iam.exceptions.NoSuchEntityException:
            return None
        before = found["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
        return "long ago" if before == _LONG_AGO else "now"

    @override
    def set(self, name: str, value: Any) -> None:
        iam, which = self.aws.client("iam"), {"RoleName": self._name, "PolicyName": POLICY}
        if value is None:
            iam.delete_role_policy(**which)
            return
        condition = {"DateLessThan": {"aws:TokenIssueTime": _LONG_AGO}}
        statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(**which, PolicyDocument=document)
