"""Encrypted, TLS-only queues, and how a function is fed from one."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.function import Function

_KEY_REUSE = Duration.hours(1)
_ATTEMPTS = 30
"""A quarter of an hour of trouble, before a message waits for a person."""
_SPARE_SECONDS = 5


class DeadLetters(sqs.Queue):
    """Holds what could not be handled for 14 days, for a person to look at and send again."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey) -> None:
        super().__init__(
            scope,
            id,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=_KEY_REUSE,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )


class WorkQueue(Construct):
    """A queue with its dead letters. Exposes `queue` and `dead_letters`."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, handling_time: Duration) -> None:
        super().__init__(scope, id)
        self.dead_letters = DeadLetters(self, "DeadLetters", key=key)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=_KEY_REUSE,
            enforce_ssl=True,
            retention_period=Duration.days(4),
            receive_message_wait_time=Duration.seconds(20),
            # A worker that died must not hold its alarms for longer than it could have lived. AWS asks for six times
            # the timeout where a function may be throttled; `feed` sees to it that ours are not.
            visibility_timeout=Duration.seconds(handling_time.to_seconds() + _SPARE_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_ATTEMPTS),
        )

    def feed(self, function: Function, *, at_once: int, batch_size: int = 10) -> None:
        """Invoke `function` with batches of messages, `at_once` at most; it reports those that failed.

        Without that bound Lambda takes more batches than the function's reserved concurrency lets run, and each that is
        throttled counts as a delivery: in a storm good messages would end in the dead letters.
        """
        function.allow("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", on=[self.queue.queue_arn])
        lambda_.EventSourceMapping(
            function,
            "Queue",
            target=function.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=batch_size,
            max_concurrency=at_once,
            report_batch_item_failures=True,
        )


def accept_rules(queue: sqs.Queue, *, buses: Sequence[str] = ("default",)) -> None:
    """Let this stack's EventBridge rules on `buses` (`default`, or a bus name) send to `queue`."""
    stack = Stack.of(queue)
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            # The one condition EventBridge documents for targets and dead letters; the account is part of each ARN.
            conditions={"ArnLike": {"aws:SourceArn": [_rules(stack, bus) for bus in buses]}},
        )
    )


def _rules(stack: Stack, bus: str) -> str:
    names = f"{stack.stack_name}-*"
    return stack.format_arn(
        service="events", resource="rule", resource_name=names if bus == "default" else f"{bus}/{names}"
    )
