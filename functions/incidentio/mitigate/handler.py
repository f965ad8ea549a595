"""Lambda entry of the conductor: domain events, ended executions and the sweep."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from incidentio.aws.clients import client
from incidentio.aws.executions import StepFunctions
from incidentio.aws.settings import ConductorSettings, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.catalog import load_bundle
from incidentio.mitigate.conduct.conductor import conduct
from incidentio.mitigate.conduct.score import Score

_SETTINGS = settings(ConductorSettings)
_BUNDLE = load_bundle()
_LOGGER = Logger()


def _score(function_arn: str) -> Score:
    _, _, _, region, account, *_ = function_arn.split(":")
    return Score(
        table=DynamoTable(client("dynamodb"), _SETTINGS.table_name, _BUNDLE.catalog.routing),
        bundle=_BUNDLE,
        executions=StepFunctions(client("stepfunctions"), _SETTINGS.state_machine_prefix),
        clock=partial(datetime.now, UTC),
        account=account,
        region=region,
    )


def handler(event: dict[str, Any], context: Any) -> None:
    done = conduct(_score(context.invoked_function_arn), event, machines=_SETTINGS.state_machine_prefix)
    _LOGGER.info("conducted", what=done, correlation_id=event.get("detail", {}).get("correlation_id"))
