"""Lambda entry of the control function: one question of a state machine, one answer."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from incidentio.aws.alarm_state import CloudWatchAlarms
from incidentio.aws.clients import client
from incidentio.aws.kill_switch import ParameterKillSwitch
from incidentio.aws.observability import log
from incidentio.aws.settings import TableSettings, Text, settings
from incidentio.aws.table import DynamoTable
from incidentio.core.bundle import load_bundle
from incidentio.mitigate.control.desk import Desk, parse_request
from incidentio.mitigate.control.operations import operate
from incidentio.mitigate.control.success import ENDS, report


class ControlSettings(TableSettings):
    kill_switch_parameter: Text


@cache
def _desk() -> Desk:
    own, bundle = settings(ControlSettings), load_bundle()
    return Desk(
        table=DynamoTable(client("dynamodb"), own.table_name, bundle.catalog.routing),
        bundle=bundle,
        kill_switch=ParameterKillSwitch(partial(client, "ssm"), own.kill_switch_parameter),
        alarms=CloudWatchAlarms(partial(client, "cloudwatch")),
        clock=partial(datetime.now, UTC),
    )


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer; what may pass raises, and is asked again by the state machine."""
    request = parse_request(event)
    answer = operate(_desk(), request)
    if request.op in ENDS:
        report(_desk(), request)
    log(
        "answered a state machine",
        op=request.op,
        decision=answer["decision"],
        reason=answer.get("reason"),
        run_id=request.run_id,
        incident_id=request.incident_id,
        step=request.step or None,
    )
    return answer
