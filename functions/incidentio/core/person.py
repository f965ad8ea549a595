"""Who did it. A person is what four-eyes counts, so two names of one identity are one person."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

_ARN = re.compile(r"arn:aws[a-z-]*:(?P<service>iam|sts)::(?P<account>\d{12}):(?P<resource>.+)")


class Actor(BaseModel):
    """`id` is what four-eyes and the audit trail compare; `kind` tells people from machines."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    kind: Literal["person", "system", "source"]

    def __str__(self) -> str:
        return self.id


SYSTEM = Actor.model_construct(id="system", kind="system")


def person_from_arn(arn: str) -> Actor:
    """The person behind a caller ARN (API Gateway `identity.userArn`, `sts:GetCallerIdentity`).

    An IAM user is its own name. For an `AWSReservedSSO_*` role the session name is set by IAM
    Identity Center, so the session is the person. Any other role's session name is chosen by the
    caller: the whole role is one person.
    """
    match = _ARN.fullmatch(arn)
    if not match:
        return Actor(id=arn[:200] or "unknown", kind="person")
    account, resource = match["account"], match["resource"]
    if resource.startswith("assumed-role/"):
        _, role, session = resource.split("/", 2)
        if role.startswith("AWSReservedSSO_"):
            return Actor(id=f"{account}:sso/{session}", kind="person")
        return Actor(id=f"{account}:role/{role}", kind="person")
    return Actor(id=f"{account}:{resource}", kind="person")
