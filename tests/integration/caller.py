"""Somebody who may do on the emulator what an action declares, and nothing else."""

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from incidentio.aws.errors import translated
from incidentio.mitigate.actions import Statement
from incidentio.mitigate.actions.action import Call
from infra.boundary import boundary, denied
from infra.local.environment import ACCOUNT, REGION, local_client
from infra.local.rights import widened


def clients(target: dict[str, Any], key: dict[str, str] | None = None) -> Callable[[str], Any]:
    """Clients on the target: of the account's owner, or of whose access key this is."""
    port = int(target["endpoint_url"].rsplit(":", 1)[1])
    if key is None:
        return lambda service: local_client(service, port)
    return lambda service: local_client(
        service, port, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]
    )


def caller(
    target: dict[str, Any], statements: Sequence[Statement], *, bounded: bool = False, only_allowed: bool = False
) -> Call:
    """The actions' port for a new IAM user with these rights alone; `bounded` as an action function is.

    `only_allowed`: as that of a playbook whose targets must carry the tag that allows automation.
    """
    iam, user = clients(target)("iam"), f"actor-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    policy: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": list(s.actions),
            "Resource": list(s.resources),
            **({"Condition": dict(s.conditions)} if s.conditions else {}),
        }
        for s in statements
    ]
    if bounded:
        policy += denied(statements, only_allowed=only_allowed)
        limits = boundary(statements, table_arn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/incidentio")
        made = iam.create_policy(PolicyName=user, PolicyDocument=_document(limits))["Policy"]["Arn"]
        iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=made)
    iam.put_user_policy(UserName=user, PolicyName="declared", PolicyDocument=_document(policy))
    client_of = clients(target, iam.create_access_key(UserName=user)["AccessKey"])

    def call(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        with translated(f"{service} {operation}"):
            answer: dict[str, Any] = getattr(client_of(service), operation)(**parameters)
            return answer

    return call


def _document(statements: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": widened(statements)})
