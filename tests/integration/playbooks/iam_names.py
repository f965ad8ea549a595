"""Which IAM actions a call of boto3 needs, where that is not simply the call's own name.

IAM takes names in any case, so `put_function_concurrency` of `lambda` is the right `lambda:PutFunctionConcurrency`.
What differs is listed here, once for each API. Source: the Service Authorization Reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_PREFIX: Mapping[str, str] = {
    "apigatewayv2": "apigateway",
    "appconfigdata": "appconfig",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}
"""boto3's name of a service → the prefix of its IAM actions, where they differ."""

_VERB: Mapping[str, str] = {"get": "GET", "update": "PATCH", "create": "POST", "put": "PUT", "delete": "DELETE"}
"""API Gateway authorises by HTTP method: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html"""

_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "lambda:invoke": ("lambda:invokefunction",),
    "s3:head_bucket": ("s3:listbucket",),
    "s3:head_object": ("s3:getobject",),
    "s3:list_objects_v2": ("s3:listbucket",),
}
"""Calls whose right has another name."""

_ALSO: Mapping[str, Mapping[str, str]] = {
    "batch:submit_job": {"tags": "batch:tagresource"},
    # Of the keys of encrypted volumes: https://repost.aws/knowledge-center/kms-iam-ec2-permission
    "ec2:start_instances": {"InstanceIds": "kms:creategrant"},
    # Named in a denial of UpdateService with a task definition: https://github.com/keidarcy/e1s/issues/429
    "ecs:update_service": {"taskDefinition": "iam:passrole"},
    "ecs:register_task_definition": {"taskRoleArn": "iam:passrole", "executionRoleArn": "iam:passrole"},
    "scheduler:update_schedule": {"Target": "iam:passrole"},
    "ssm:start_automation_execution": {"Tags": "ssm:addtagstoresource", "Parameters": "iam:passrole"},
}
"""Call → parameter → the further right it needs when that parameter is given."""


def needed(service: str, operation: str, parameters: Mapping[str, Any]) -> frozenset[str]:
    """The IAM actions of one call, in lower case: `needed("lambda", "list_tags", {})` is `{"lambda:listtags"}`."""
    if service == "https":
        return frozenset()  # not AWS; what may be called is listed by the deployment
    call, prefix = f"{service}:{operation}", _PREFIX.get(service, service)
    also = {right for name, right in _ALSO.get(call, {}).items() if parameters.get(name)}
    if prefix == "apigateway":
        return frozenset({f"apigateway:{_VERB[operation.partition('_')[0]].lower()}"} | also)
    return frozenset({*_OTHERWISE.get(call, (f"{prefix}:{operation.replace('_', '')}",)), *also})


@cache
def _reference() -> dict[str, Any]:
    """cfn-lint's extract of the Service Authorization Reference, in lower case: it comes with our linter."""
    linter = find_spec("cfnlint")  # not imported: that takes half a second
    assert linter is not None
    assert linter.origin is not None
    path = Path(linter.origin).parent / "data" / "AdditionalSpecs" / "Policies.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def is_real(action: str) -> bool:
    """Whether AWS knows the IAM action `service:Name`."""
    prefix, _, name = action.lower().partition(":")
    return name in _reference().get(prefix, {}).get("Actions", {})


_ON_EVERYTHING: Mapping[str, str] = {
    "ecs:listtasks": "knows container instances, and asked for a service's tasks is checked against *: "
    "https://github.com/widdix/complete-aws-iam-reference/issues/74",
}
"""Actions that know a resource, and not where we call them: with the reason."""


def knows_no_resource(action: str) -> bool:
    """Whether the action can be allowed on `*` only."""
    if action.lower() in _ON_EVERYTHING:
        return True
    prefix, _, name = action.lower().partition(":")
    return not _reference()[prefix]["Actions"][name].get("Resources")
