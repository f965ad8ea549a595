"""Everything in which the local target differs from AWS: one list, applied to the tree before synthesis and printed.

No construct is written around the emulator; what it lacks is taken out here.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, CfnResource, CliCredentialsStackSynthesizer, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.aws_iam import CfnManagedPolicy, CfnPolicy
from aws_cdk.aws_lambda import CfnEventSourceMapping
from aws_cdk.aws_s3 import CfnBucketPolicy
from aws_cdk.aws_sns import CfnTopicPolicy
from aws_cdk.aws_sqs import CfnQueuePolicy
from constructs import IConstruct

from infra.local import api_address, object_lock, rights
from infra.local.errors import LocalTargetError
from infra.stack import IncidentioStack

DROPPED: Mapping[str, str] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": "the emulator's CloudFormation does not know it",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "the emulator's CloudFormation does not know it",
    "AWS::Budgets::Budget": "the emulator's CloudFormation does not know it; budgets do not spend locally",
    "AWS::CE::AnomalyMonitor": "the emulator's CloudFormation does not know it; nothing is spent locally",
    "AWS::CE::AnomalySubscription": "the emulator's CloudFormation does not know it; nothing is spent locally",
    "AWS::CloudWatch::AnomalyDetector": "the emulator's CloudFormation does not know it",
    "AWS::CloudWatch::CompositeAlarm": "the emulator's CloudFormation does not know it; composite alarms exist there "
    "through the API only",
    "AWS::Events::Archive": "the emulator's CloudFormation does not know it; domain events are not kept for replay",
    "AWS::Events::EventBusPolicy": "the emulator's CloudFormation does not know it; there is one local account",
    "AWS::Lambda::CodeSigningConfig": "the emulator's CloudFormation does not know it",
    "AWS::Logs::QueryDefinition": "the emulator's CloudFormation does not know it; only shown in the AWS console",
    "AWS::SNS::TopicInlinePolicy": "the emulator's CloudFormation does not know it",
    "AWS::SSM::Document": "the emulator's CloudFormation does not know it",
    "AWS::StepFunctions::StateMachineAlias": "the emulator's CloudFormation does not know it",
    "AWS::StepFunctions::StateMachineVersion": "the emulator's CloudFormation does not know it",
    "AWS::Synthetics::Canary": "the emulator's CloudFormation does not know it",
}

AT_ONCE = 2
"""Copies of a function that read one queue. More would only wait for a core, while what comes after them gets none."""

METRIC_MATH = "the emulator's CloudFormation refuses alarms on metric math"

# What differs without touching the tree: always true of the local target, so always printed.
DIFFERENT = (
    "left out: the statements of bucket, queue and topic policies that refuse plain HTTP: loopback has no TLS",
    rights.TOLD,
    object_lock.TOLD,
    api_address.TOLD,
    "deploys with the caller's credentials: the emulator refuses the bootstrap stack's publishing role",
    "Lambda runs this machine's Python and a layer built for it, whatever runtime is declared",
    f"each queue is read by {AT_ONCE} copies of its function at once: all share the cores of this machine",
    "the sweeper's rule fires every second, playbooks wait at --pace; without --catalog other waits are seconds",
    "alarms send no EventBridge event and run SNS actions only; metric math is not evaluated",
)


def synthesizer() -> CliCredentialsStackSynthesizer:
    """Return the synthesizer of the local target's stacks."""
    return CliCredentialsStackSynthesizer()


def adapt(root: IConstruct) -> list[str]:
    """Take out of the tree under `root` what the emulator lacks; return a line for each difference.

    Dependencies on a dropped resource, and outputs that show one, go with it; a property that needs one is refused by
    the emulator's CloudFormation. When the context names a file as `adaptations`, the lines are written to it as JSON.
    Its `endpoint` is where the emulator answers.
    Raises LocalTargetError when a resource cannot be taken out.
    """
    elements = root.node.find_all()
    dropped = {each: reason for each in elements if isinstance(each, CfnResource) and (reason := _lacking(each))}
    names = {(Stack.of(each).node.path, str(Stack.of(each).resolve(each.logical_id))) for each in dropped}
    for element in elements:
        if isinstance(element, CfnResource):
            for resource in dropped:
                element.remove_dependency(resource)
        elif isinstance(element, CfnOutput) and names & set(_references(element)):
            _take_out(element)
    for resource in dropped:
        _take_out(resource)
    for element in root.node.find_all():
        _change(element, endpoint=root.node.try_get_context("endpoint"))
    lines = [*_told(dropped), *DIFFERENT]
    written_to = root.node.try_get_context("adaptations")
    if written_to:
        Path(written_to).write_text(json.dumps(lines))
    return lines


def _told(dropped: Mapping[CfnResource, str]) -> Iterator[str]:
    paths: dict[tuple[str, str], list[str]] = {}
    for resource, reason in dropped.items():
        paths.setdefault((resource.cfn_resource_type, reason), []).append(resource.node.path.removesuffix("/Resource"))
    for (kind, reason), found in sorted(paths.items()):
        yield f"left out {kind} ({reason}): {', '.join(found)}"


def _change(element: IConstruct, *, endpoint: str | None) -> None:
    if isinstance(element, (CfnBucketPolicy, CfnQueuePolicy, CfnTopicPolicy)):
        _allow_plain_http(element)
    elif isinstance(element, (CfnPolicy, CfnManagedPolicy)):
        _widen(element)
    elif isinstance(element, CfnEventSourceMapping) and element.scaling_config is not None:
        element.add_property_override("ScalingConfig.MaximumConcurrency", AT_ONCE)
    elif isinstance(element, IncidentioStack) and endpoint:
        api_address.redirect(element, endpoint)


def _lacking(resource: CfnResource) -> str | None:
    if isinstance(resource, cloudwatch.CfnAlarm) and resource.metrics is not None:
        return METRIC_MATH
    return DROPPED.get(resource.cfn_resource_type)


def _take_out(element: IConstruct) -> None:
    scope = element.node.scope
    if scope is None or not scope.node.try_remove_child(element.node.id):
        raise LocalTargetError(f"cannot take {element.node.path} out of the construct tree")


def _references(output: CfnOutput) -> Iterator[tuple[str, str]]:
    stack = Stack.of(output)
    for name in _referenced(stack.resolve(output.value)):
        yield stack.node.path, name


def _allow_plain_http(policy: CfnBucketPolicy | CfnQueuePolicy | CfnTopicPolicy) -> None:
    document = Stack.of(policy).resolve(policy.policy_document)
    kept = [statement for statement in document["Statement"] if not _denies_plain_http(statement)]
    # Without a policy of its own a topic gets the emulator's default one, which lets everybody publish.
    if kept or isinstance(policy, CfnTopicPolicy):
        policy.add_property_override("PolicyDocument.Statement", kept)
    else:
        _take_out(policy)


def _widen(policy: CfnPolicy | CfnManagedPolicy) -> None:
    statements = Stack.of(policy).resolve(policy.policy_document)["Statement"]
    if (adapted := rights.widened(statements)) != statements:
        policy.add_property_override("PolicyDocument.Statement", adapted)


def _denies_plain_http(statement: Mapping[str, Any]) -> bool:
    return statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}


def _referenced(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield str(inner)
            elif key == "Fn::GetAtt":
                yield str(inner[0])
            else:
                yield from _referenced(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _referenced(inner)
