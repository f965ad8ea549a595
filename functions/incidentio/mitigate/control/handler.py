"""Lambda entry of the control function: one question of a state machine, one answer."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from incidentio.aws.alarm_state import CloudWatchAlarms
from incidentio.aws.clients import client
from incidentio.aws.kill_switch import ParameterKillSwitch
from incidentio.aws.settings import ControlSettings, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.catalog import load_bundle
from incidentio.mitigate.control.desk import Desk, parse_request
from incidentio.mitigate.control.operations import operate

_SETTINGS = settings(ControlSettings)
_BUNDLE = load_bundle()
_DESK = Desk(
    table=DynamoTable(client("dynamodb"), _SETTINGS.table_name, _BUNDLE.catalog.routing),
    bundle=_BUNDLE,
    kill_switch=ParameterKillSwitch(client("ssm"), _SETTINGS.kill_switch_parameter),
    alarms=CloudWatchAlarms(client("cloudwatch")),
    clock=partial(datetime.now, UTC),
)
_LOGGER = Logger()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    request = parse_request(event)
    answer = operate(_DESK, request)
    _LOGGER.info(
        "answered a state machine",
        op=request.op,
        decision=answer["decision"],
        reason=answer.get("reason"),
        run_id=request.run_id,
        incident_id=request.incident_id,
        step=request.step or None,
    )
    return answer
