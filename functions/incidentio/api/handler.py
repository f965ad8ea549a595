"""Lambda entry: API Gateway proxy event → the incident API."""

import os
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver

from incidentio.api.app import create_app, handle
from incidentio.aws.archive import S3Archive
from incidentio.aws.clients import LaterClient, client
from incidentio.aws.secrets import SecretsManager, prefix_of
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.archive import RetentionMode
from incidentio.core.bundle import load_bundle

logger = Logger()


class ApiSettings(TableSettings):
    archive_bucket: Text
    retention_mode: RetentionMode = "GOVERNANCE"
    retention_days: int = 365


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request; one log line each, without bodies."""
    answer = handle(_app(_account(context)), event, context)
    request = event["requestContext"]
    logger.info(
        "answered",
        extra={
            "method": event["httpMethod"],
            "path": event["path"],
            "status": answer["statusCode"],
            "caller": request.get("identity", {}).get("userArn"),
            "correlation_id": request.get("requestId"),
        },
    )
    return answer


@cache
def _app(account: str) -> APIGatewayRestResolver:
    env = settings(ApiSettings)
    bundle = load_bundle()
    return create_app(
        table=DynamoTable(client("dynamodb"), env.table_name, bundle.catalog.routing),
        archive=S3Archive(LaterClient("s3"), env.archive_bucket),
        secrets=SecretsManager(LaterClient("secretsmanager"), prefix_of(env.stack_prefix)),
        bundle=bundle,
        clock=partial(datetime.now, UTC),
        account=account,
        region=os.environ["AWS_REGION"],
        retention_mode=env.retention_mode,
        retention_days=env.retention_days,
        unexpected=_log_defect,
    )


def _account(context: Any) -> str:
    return str(context.invoked_function_arn).split(":")[4]


def _log_defect(correlation_id: str, error: Exception) -> None:
    logger.error("unexpected error", exc_info=error, extra={"correlation_id": correlation_id})
