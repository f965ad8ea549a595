"""Lambda entry of the conductor: domain events, ended executions and the sweep."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from incidentio.aws.clients import client
from incidentio.aws.executions import StepFunctions
from incidentio.aws.observability import log
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.bundle import load_bundle
from incidentio.mitigate.conduct.conductor import conduct
from incidentio.mitigate.conduct.score import Score


class ConductorSettings(TableSettings):
    state_machine_prefix: Text


@cache
def _own() -> ConductorSettings:
    return settings(ConductorSettings)


@cache
def _score(function_arn: str) -> Score:
    """The function's own ARN says where it, and so every target without an alarm, lives."""
    _, _, _, region, account, *_ = function_arn.split(":")
    bundle = load_bundle()
    return Score(
        table=DynamoTable(client("dynamodb"), _own().table_name, bundle.catalog.routing),
        bundle=bundle,
        executions=StepFunctions(partial(client, "stepfunctions"), _own().state_machine_prefix),
        clock=partial(datetime.now, UTC),
        account=account,
        region=region,
    )


def handler(event: dict[str, Any], context: Any) -> None:
    """Act on one event or sweep; what fails is retried and then sent to the failure destination."""
    done = conduct(_score(context.invoked_function_arn), event, machines=_own().state_machine_prefix)
    log("conducted", what=done, correlation_id=event.get("detail", {}).get("correlation_id"))
