"""AWS calls and capacity units per duplicate, incident, transition and page of a list, on the deployed table."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.person import Actor
from incidentio.core.ports import Filters
from tests.e2e.world import World
from tests.load.counting import counted, environment
from tests.load.rows import Row, row
from tests.make import opened

_BATCH = 10
_SAMPLES = 20
_PERSON = Actor(id="000000000000:user/bench", kind="person")


def sqs_event(bodies: list[str]) -> dict[str, Any]:
    """What Lambda hands to the ingest function."""
    return {
        "Records": [
            {"messageId": f"m{n}", "body": body, "attributes": {}, "messageAttributes": {}, "eventSource": "aws:sqs"}
            for n, body in enumerate(bodies)
        ]
    }


def measure(description: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    world = World(description)
    with environment(description):
        from incidentio.aws.clients import client
        from incidentio.aws.table import DynamoTable
        from incidentio.core.routing import Routing
        from incidentio.ingest.handler import handler

        dynamodb = client("dynamodb")
        alarms = [f"bench-{world.tag}-{n:02d}" for n in range(_SAMPLES)]
        firing = [json.dumps(world.state_change(alarm, "ALARM")) for alarm in alarms]
        with counted(dynamodb) as new:
            handler(sqs_event(firing), None)
        with counted(dynamodb) as repeated:
            for message in firing:
                handler(sqs_event([message] * _BATCH), None)
        rows.append(row("aws_calls_per_new_incident", new.calls / _SAMPLES))
        rows.append(row("write_units_per_new_incident", new.write_units / _SAMPLES))
        rows.append(row("aws_calls_per_duplicate", repeated.calls / (_SAMPLES * _BATCH)))
        rows.append(row("write_units_per_duplicate", repeated.write_units / (_SAMPLES * _BATCH)))

        table = DynamoTable(dynamodb, description["outputs"]["TableName"], Routing())
        ids = [world.the_incident_of(alarm)["id"] for alarm in alarms[:5]]
        for incident_id in ids:
            world.entry(incident_id, "IncidentTriaged")
        with counted(dynamodb) as moved:
            for incident_id in ids:
                amend(table, incident_id, lambda i: lifecycle.acknowledge(i, actor=_PERSON, at=datetime.now(UTC)))
        rows.append(row("aws_calls_per_transition", moved.calls / len(ids)))
        rows.append(row("write_units_per_transition", moved.write_units / len(ids)))

        now = datetime.now(UTC)
        for n in range(1000):
            what = {"title": f"prod-checkout-service-5xx-errors-high-{n:04d}", "service": "checkout"}
            table.commit(opened(id=f"INC-{n:06d}", detected_at=now - timedelta(seconds=n), triaged_at=now, **what))
        with counted(dynamodb) as listed:
            page = table.page(Filters(status="open"), limit=50)
        assert len(page.items) == 50
        rows.append(row("list_page_read_units", listed.read_units))
    return rows
