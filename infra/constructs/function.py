"""A Lambda function of ours: one least-privilege role each, one asset, one layer, its lane's log group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.acknowledged import accept_wildcards, acknowledge

METRICS_NAMESPACE = "incidentio"
# What the principal of a table call needs on the table's key, and what sending to a queue or topic needs.
KEY_USE = (
    "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
)  # fmt: skip


@dataclass(kw_only=True)
class Runtime:
    """What all functions share. The asset is bound once in each stack, so that all functions have one hash."""

    code: Path
    layer: lambda_.ILayerVersion
    stack_prefix: str
    reserve: bool
    _bound: dict[str, lambda_.Code] = field(default_factory=dict)

    def code_for(self, scope: Construct) -> lambda_.Code:
        stack = Stack.of(scope).node.path
        return self._bound.setdefault(stack, lambda_.Code.from_asset(str(self.code)))


class Lane(Construct):
    """One lane of the lifecycle: its functions share a name in logs and metrics, and a log group."""

    def __init__(self, scope: Construct, id: str, *, name: str) -> None:
        super().__init__(scope, id)
        self.name = name
        self.log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )


class Function(Construct):
    """Exposes `function` and `role`; `allow` is the only way to more rights."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        lane: Lane,
        handler: str,
        description: str,
        environment: Mapping[str, str],
        timeout: Duration,
        memory_mb: int = 512,
        reserve: int | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.lane = lane.name
        self.timeout = timeout
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description=f"incidentio {id}"
        )
        self.allow("logs:CreateLogStream", "logs:PutLogEvents", on=[lane.log_group.log_group_arn])
        self.function = lambda_.Function(
            self,
            "Function",
            code=runtime.code_for(self),
            handler=handler,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            layers=[runtime.layer],
            role=self.role,
            description=description,
            environment={
                "LOG_LEVEL": "INFO",
                # Pydantic would look through all that is installed for plugins: a twentieth of a cold start.
                "PYDANTIC_DISABLE_PLUGINS": "__all__",
                "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
                "POWERTOOLS_SERVICE_NAME": lane.name,
                "STACK_PREFIX": runtime.stack_prefix,
                **environment,
            },
            timeout=timeout,
            memory_size=memory_mb,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=lane.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            # Start and end lines of a function that runs every minute would cost more than they tell.
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            reserved_concurrent_executions=reserve if runtime.reserve else None,
        )
        acknowledge(
            self.function,
            {"L1": "The layer's compiled pydantic-core is built and tested for Python 3.13; both move together."},
        )
        accept_wildcards(self.role, ["*"], because="Writing trace segments to X-Ray knows no resource.")

    def allow(
        self,
        *actions: str,
        on: Sequence[str],
        when: Mapping[str, Mapping[str, Any]] | None = None,
        because: str | None = None,
    ) -> None:
        """Let the function call `actions` on the ARNs `on`, under the IAM conditions `when`.

        An ARN with a wildcard needs a reason (`because`).
        """
        accept_wildcards(self.role, on, because=because)
        self.role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(on), conditions=dict(when) if when else None)
        )

    def use_key(self, key: kms.IKey) -> None:
        """Let the function read and write what `key` encrypts, where it may reach it."""
        self.allow(*KEY_USE, on=[key.key_arn])

    def consume_async(self, *, failures_to: str) -> None:
        """Retry asynchronous events twice; what still fails, or waits 6 h, goes to the queue with ARN `failures_to`."""
        self.allow("sqs:SendMessage", on=[failures_to])
        config = lambda_.CfnEventInvokeConfig(
            self,
            "Async",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=2,
            maximum_event_age_in_seconds=21_600,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=failures_to)
            ),
        )
        config.node.add_dependency(self.role)
