"""IAM users of a local target: people who may call the API, and nothing else."""

import json
from contextlib import suppress
from typing import Any

from botocore.credentials import Credentials

_MAY_CALL_THE_API = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:*"}],
}


def hire(iam: Any, name: str) -> Credentials:
    """Make sure the IAM user is there, and return a new access key of it."""
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="call-incidentio", PolicyDocument=json.dumps(_MAY_CALL_THE_API))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])
