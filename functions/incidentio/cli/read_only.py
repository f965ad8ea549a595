"""The IAM policy a command needs that only looks."""

from collections.abc import Iterable
from typing import Any


def policy(actions: Iterable[str]) -> dict[str, Any]:
    """CloudWatch's and the other read actions used here know no narrower resource than all that there are.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    statement = {"Sid": "ReadOnly", "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}
