"""The single table: incidents, timelines and every record of the lanes."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.function import Function

INDEX = "listing"
LISTED = ("status", "severity", "service", "environment", "kind", "mode", "title", "version", "due_at")
EXPIRY_ATTRIBUTE = "ttl"
# What a transaction writes is authorised as the writes it is made of.
_READ_WRITE = (
    "dynamodb:BatchGetItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)


class IncidentTable(Construct):
    """Exposes `table`; its stream is the outbox."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, removal: RemovalPolicy) -> None:
        super().__init__(scope, id)
        self._key = key
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text("pk"),
            sort_key=_text("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            time_to_live_attribute=EXPIRY_ATTRIBUTE,
            removal_policy=removal,
        )
        self.table.add_global_secondary_index(
            index_name=INDEX,
            partition_key=_text("gpk"),
            sort_key=_text("gsk"),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(LISTED),
        )

    def read_write(self, function: Function) -> None:
        """Let `function` read and write items. Nobody may scan."""
        arn = self.table.table_arn
        function.allow(*_READ_WRITE, on=[arn])
        function.allow("dynamodb:Query", on=[f"{arn}/index/{INDEX}"])
        function.use_key(self._key)


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
