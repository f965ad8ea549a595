"""`--direct`: the API in this process, on the table itself, with the caller's own IAM rights.

For the night when the API is down. Routes, checks and errors are the same code; only HTTP is missing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver

from incidentio.api.app import create_app, dispatch
from incidentio.aws.archive import S3Archive
from incidentio.aws.secrets import SecretsManager
from incidentio.aws.table import DynamoTable
from incidentio.cli.client import Answer, refusal
from incidentio.cli.configuration import bundle_of
from incidentio.cli.deployment import Deployment
from incidentio.core import redaction
from incidentio.core.archive import RetentionMode
from incidentio.core.ids import random_base32


class DirectApi:
    """The API as the person behind `user_arn`; raises what `client.Api` does."""

    def __init__(self, app: APIGatewayRestResolver, user_arn: str) -> None:
        self._app = app
        self._user_arn = user_arn

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
        if_match: int | None = None,
    ) -> Answer:
        headers = {} if method == "GET" else {"idempotency-key": random_base32(26)}
        if if_match is not None:
            headers["if-match"] = str(if_match)
        status, answer = dispatch(
            self._app,
            method,
            path,
            {name: value for name, value in (query or {}).items() if value is not None},
            headers,
            None if method == "GET" else dict(body or {}),
            self._user_arn,
        )
        if not 200 <= status < 300:
            raise refusal(status, answer)
        return answer


def direct_api(deployment: Deployment) -> DirectApi:
    """The API on `deployment`'s table and bucket. Raises what reading the stack's outputs does."""
    caller = deployment.client("sts").get_caller_identity()
    bundle = bundle_of(deployment)
    redaction.configure(bundle.catalog.routing.redaction.patterns)
    app = create_app(
        table=DynamoTable(deployment.client("dynamodb"), deployment.output("TableName"), bundle.catalog.routing),
        archive=S3Archive(deployment.client("s3"), deployment.output("ArchiveBucketName")),
        secrets=SecretsManager(deployment.client("secretsmanager"), deployment.output("SigningSecretPrefix")),
        bundle=bundle,
        clock=lambda: datetime.now(UTC),
        account=str(caller["Account"]),
        region=deployment.region,
        retention_mode=_mode(deployment.output("RetentionMode")),
        retention_days=int(deployment.output("RetentionDays")),
    )
    return DirectApi(app, str(caller["Arn"]))


def _mode(text: str) -> RetentionMode:
    return "GOVERNANCE" if text == "GOVERNANCE" else "COMPLIANCE"
