"""A change of state as the message that would have stood in the ingest queue."""

import json
from typing import Any

from incidentio.cli.backtest.estate import Estate, StateChange
from incidentio.core.attachment import ATTACHED
from incidentio.core.ids import iso
from incidentio.core.signal import Mode


def message(change: StateChange, estate: Estate, *, attached: bool) -> dict[str, Any]:
    """One record of a queue delivery holding the EventBridge event.

    An attached alarm comes through the topic too. Both doors end in the same incident, so one message says both: the
    mode stands beside the detail, as in what the sweeper puts into the queue.
    """
    _, _, _, region, account, _ = change.arn.split(":", 5)
    configured = estate.by_name.get(change.alarm)
    state = {"value": change.new, "reason": change.reason, "timestamp": iso(change.at)}
    if change.reason_data:
        state["reasonData"] = change.reason_data
    event = {
        "version": "0",
        "id": f"{change.alarm}@{iso(change.at)}",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": account,
        "time": iso(change.at),
        "region": region,
        "resources": [change.arn],
        **({"incidentio": {"mode": Mode.LIVE.value, "reason": ATTACHED}} if attached else {}),
        "detail": {
            "alarmName": change.alarm,
            "configuration": configured.event if configured else {},
            "previousState": {"value": change.old},
            "state": state,
        },
    }
    return {"messageId": event["id"], "body": json.dumps(event)}
