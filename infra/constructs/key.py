"""The customer managed key of everything that holds incident data."""

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

# CloudWatch, Budgets and cost anomaly alerts publish to our topics on behalf of this account and say so.
_PUBLISHERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com")
_USE = ("kms:Decrypt", "kms:GenerateDataKey*")


class DataKey(kms.Key):
    """Rotated yearly. Services that deliver to encrypted topics and queues may use it; functions by their roles."""

    def __init__(self, scope: Construct, id: str, *, removal: RemovalPolicy) -> None:
        super().__init__(
            scope,
            id,
            description="incidentio: table, topics, queues and archive",
            enable_key_rotation=True,
            removal_policy=removal,
        )
        for service in _PUBLISHERS:
            self._deliver(service, {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}})
        topics = f"arn:{Aws.PARTITION}:sns:{Aws.REGION}:{Aws.ACCOUNT_ID}:*"
        self._deliver("sns.amazonaws.com", {"ArnLike": {"aws:SourceArn": topics}})
        # EventBridge sends no source account to KMS: a condition on it would drop every event silently.
        # What it may deliver to is decided by each queue's own policy, which does name the rule.
        self._deliver("events.amazonaws.com", {})

    def _deliver(self, service: str, conditions: dict[str, object]) -> None:
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Delivery" + service.split(".", maxsplit=1)[0].capitalize(),
                principals=[iam.ServicePrincipal(service)],
                actions=list(_USE),
                resources=["*"],
                conditions=conditions,
            )
        )
