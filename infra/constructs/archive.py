"""The archive: postmortems and hourly anchors of timeline heads, in a bucket that can lock what it holds."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.function import Function


class Archive(Construct):
    """Exposes `bucket`: versioned, Object Lock on (each object says how long), TLS only, never public."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, removal: RemovalPolicy) -> None:
        super().__init__(scope, id)
        self._key = key
        access_logs = s3.Bucket(
            self,
            "AccessLogs",
            # S3 writes access logs only where its own keys encrypt.
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(365))],
            removal_policy=removal,
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            object_lock_enabled=True,
            server_access_logs_bucket=access_logs,
            removal_policy=removal,
        )

    def kept_by(self, function: Function) -> None:
        """Let `function` read, write and lock objects; nobody may delete or unlock. A miss reads as 404."""
        function.allow(
            "s3:GetObject",
            "s3:PutObject",
            "s3:PutObjectRetention",
            on=[self.bucket.arn_for_objects("*")],
            because="Keys hold the ids of incidents to come; the whole bucket is for such documents.",
        )
        function.allow("s3:ListBucket", on=[self.bucket.bucket_arn])
        function.use_key(self._key)
