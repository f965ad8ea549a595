"""The archive bucket behind `core.archive.Archive`: versioned, with Object Lock."""

from typing import Any

from botocore.exceptions import ClientError

from incidentio.aws.errors import error_code, translated
from incidentio.core.archive import Retention

_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_MISSING = frozenset({"NoSuchKey", "404"})


class S3Archive:
    """Implements `core.archive.Archive` with one low-level client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(
        self, key: str, body: bytes, *, content_type: str, retention: Retention | None = None, once: bool = False
    ) -> str | None:
        arguments: dict[str, Any] = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": content_type,
            "ChecksumAlgorithm": "SHA256",  # Object Lock refuses a put without a checksum
        }
        if retention:
            arguments |= {"ObjectLockMode": retention.mode, "ObjectLockRetainUntilDate": retention.until}
        if once:
            arguments["IfNoneMatch"] = "*"
        try:
            answer = self._client.put_object(**arguments)
        except ClientError as error:
            if once and error_code(error) in _TAKEN:
                return None
            with translated(f"archiving {key}"):
                raise
        return str(answer.get("VersionId", "null"))

    def get(self, key: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            with translated(f"reading {key} from the archive"):
                raise
        body: bytes = answer["Body"].read()
        return body
