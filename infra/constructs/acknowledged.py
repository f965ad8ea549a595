"""Findings of cdk-nag and cfn-lint we accept, each with its reason, next to the construct it concerns."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

LINT = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
"""Template metadata: the CDK writes a role down as a dependency next to the reference that already makes it one."""


def acknowledge(construct: IConstruct, findings: Mapping[str, str]) -> None:
    """Accept the AwsSolutions `findings` (rule, or rule with its finding in brackets, to reason) below `construct`."""
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason) for rule, reason in findings.items())
    )


def accept_wildcards(role: IConstruct, resources: Iterable[str], *, because: str | None) -> None:
    """Accept that policies of `role` name `resources` with a wildcard in them.

    Raises:
        ValueError: there is such a resource and no reason.
    """
    for resource in resources:
        shown = _shown(Stack.of(role).resolve(resource))
        if "*" not in shown:
            continue
        if because is None:
            raise ValueError(f"{role.node.path}: say why it needs all of {shown}")
        acknowledge(role, {f"IAM5[Resource::{shown}]": because})


def _shown(resolved: Any) -> str:
    """A template value as cdk-nag writes it in a finding."""
    match resolved:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_shown(part) for part in parts)
        case _:
            return str(resolved)
