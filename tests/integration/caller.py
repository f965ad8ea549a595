"""Somebody who may do on the emulator what an action declares, and nothing else."""

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from incidentio.aws.errors import translated
from incidentio.mitigate.actions import Statement
from incidentio.mitigate.actions.action import SYSTEM_TAG, Call
from infra.local.environment import local_client
from infra.local.rights import widened


def clients(target: dict[str, Any], key: dict[str, str] | None = None) -> Callable[[str], Any]:
    """Clients on the target: of the account's owner, or of whose access key this is."""
    port = int(target["endpoint_url"].rsplit(":", 1)[1])
    if key is None:
        return lambda service: local_client(service, port)
    return lambda service: local_client(
        service, port, access_key_id=key["AccessKeyId"], secret_access_key=key["SecretAccessKey"]
    )


def caller(target: dict[str, Any], statements: Sequence[Statement], *, ourselves_denied: bool = False) -> Call:
    """The actions' port for a new IAM user with these rights alone."""
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
    if ourselves_denied:
        condition = {"Null": {f"aws:ResourceTag/{SYSTEM_TAG}": "false"}}
        policy.append({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition})
    document = json.dumps({"Version": "2012-10-17", "Statement": widened(policy)})
    iam.put_user_policy(UserName=user, PolicyName="declared", PolicyDocument=document)
    client_of = clients(target, iam.create_access_key(UserName=user)["AccessKey"])

    def call(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        with translated(f"{service} {operation}"):
            answer: dict[str, Any] = getattr(client_of(service), operation)(**parameters)
            return answer

    return call
