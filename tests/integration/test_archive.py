"""The archive adapter against the deployed bucket: versions, first write wins, retention."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from incidentio.aws.archive import S3Archive
from incidentio.core.archive import Retention
from infra.local.environment import local_client


@pytest.fixture
def client(target: dict[str, Any]) -> Any:
    return local_client("s3", int(target["endpoint_url"].rsplit(":", 1)[1]))


@pytest.fixture
def bucket(target: dict[str, Any]) -> str:
    return str(target["outputs"]["ArchiveBucketName"])


@pytest.fixture
def key() -> str:
    return f"tests/{uuid.uuid4().hex}.md"


def test_the_newest_version_is_read_and_the_older_is_kept(client: Any, bucket: str, key: str) -> None:
    archive = S3Archive(client, bucket)
    assert archive.get(key) is None
    first = archive.put(key, b"one", content_type="text/markdown")
    second = archive.put(key, b"two", content_type="text/markdown")
    assert first != second
    assert archive.get(key) == b"two"
    assert client.get_object(Bucket=bucket, Key=key, VersionId=first)["Body"].read() == b"one"


def test_the_first_write_wins_when_asked_to(client: Any, bucket: str, key: str) -> None:
    archive = S3Archive(client, bucket)
    assert archive.put(key, b"one", content_type="text/plain", once=True)
    assert archive.put(key, b"two", content_type="text/plain", once=True) is None
    assert archive.get(key) == b"one"


def test_a_retained_version_cannot_be_deleted(client: Any, bucket: str, key: str) -> None:
    until = datetime.now(UTC) + timedelta(seconds=60)
    version = S3Archive(client, bucket).put(
        key, b"kept", content_type="text/plain", retention=Retention("GOVERNANCE", until)
    )
    stored = client.get_object_retention(Bucket=bucket, Key=key, VersionId=version)["Retention"]
    assert stored["Mode"] == "GOVERNANCE"
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key=key, VersionId=version)
