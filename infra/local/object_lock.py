"""Object Lock on the archive bucket: the emulator's CloudFormation creates the bucket without it."""

from collections.abc import Mapping

from infra.local.environment import local_client

BUCKET_OUTPUT = "ArchiveBucketName"
TOLD = "Object Lock of the archive bucket is switched on after the deployment: CloudFormation leaves it off there"


def switch_on(outputs: Mapping[str, str], *, port: int) -> None:
    """Let objects of the bucket be locked, as CloudFormation does on AWS. A stack without the bucket is left alone."""
    bucket = outputs.get(BUCKET_OUTPUT)
    if bucket:
        local_client("s3", port).put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )
