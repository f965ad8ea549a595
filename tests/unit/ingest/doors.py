"""Messages as the ingest queue delivers them, through either door, and a whole ingest on fakes."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.ids import new_incident_id
from incidentio.core.incident import Change, Incident
from incidentio.core.members import closing, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Write
from incidentio.ingest.batch import Batch, Report
from incidentio.ingest.intake import Intake
from tests.fakes import FakeClock, FakeTable

ACCOUNT, REGION = "111122223333", "eu-west-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:incidentio-signals"
SAMPLES = Path(__file__).parents[3] / "events"


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.json").read_text()


def arn(alarm: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}"


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def event(
    state: str,
    at: datetime,
    *,
    alarm: str = "checkout-errors",
    tags: Mapping[str, str] | None = None,
    function: str | None = None,
    mode: str | None = None,
) -> str:
    """Through EventBridge. `mode` is what our own reconciliation adds."""
    metric = {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": function}}
    return json.dumps(
        {
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "resources": [arn(alarm)],
            **({"incidentio": {"mode": mode, "reason": "said so"}} if mode else {}),
            "detail": {
                "alarmName": alarm,
                "state": {"value": state, "reason": "Threshold Crossed", "timestamp": stamp(at)},
                "configuration": {"metrics": [{"metricStat": {"metric": metric}}] if function else []},
                **({"alarmTags": dict(tags)} if tags else {}),
            },
        }
    )


def action(state: str, at: datetime, *, alarm: str = "checkout-errors", function: str | None = None) -> str:
    """Through the signal topic."""
    dimensions = [{"name": "FunctionName", "value": function}] if function else []
    message = {
        "AlarmName": alarm,
        "AWSAccountId": ACCOUNT,
        "AlarmArn": arn(alarm),
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed",
        "StateChangeTime": stamp(at),
        "Region": "EU (Ireland)",
        "Trigger": {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": dimensions},
    }
    return notification(message)


def notification(message: Mapping[str, Any] | str) -> str:
    text = message if isinstance(message, str) else json.dumps(message)
    return json.dumps({"Type": "Notification", "TopicArn": TOPIC, "Message": text})


def signal(state: str, at: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "incidentio": "signal/v1",
        "dedup_key": "canary/checkout",
        "state": state,
        "title": "Checkout canary fails",
        "changed_at": at.isoformat(),
        **fields,
    }


class DeadLetters(list[tuple[str, str]]):
    """Body and reason of what was given up; `broken` refuses everything."""

    broken = False

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> None:
        if self.broken:
            raise ConnectionError
        self.append((body, (attributes or {})["reason"]))


class Desk:
    """Ingest on fakes: `desk(body, …)` is one delivery."""

    def __init__(self, catalog: Catalog | None = None, new_id: Callable[[], str] = new_incident_id) -> None:
        catalog = catalog or Catalog()
        self.clock = FakeClock()
        self.table = FakeTable(catalog.routing)
        self.dead_letters = DeadLetters()
        attachment = Attachment(own_prefix="incidentio", catalog=catalog)
        intake = Intake(self.table, catalog, self.clock, new_id)
        self.batch = Batch(intake, self.dead_letters, attachment, self.clock)

    def __call__(self, *bodies: str) -> Report:
        return self.deliver(bodies)

    def deliver(self, bodies: Iterable[str]) -> Report:
        return self.batch.handle([{"messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)])

    def at(self, seconds: float) -> datetime:
        """A moment around the clock's start, for state changes."""
        return FakeClock().now + timedelta(seconds=seconds)

    @property
    def incidents(self) -> list[Incident]:
        return sorted(self.table.incidents.values(), key=lambda i: i.detected_at)

    @property
    def incident(self) -> Incident:
        (only,) = self.table.incidents.values()
        return only

    @property
    def types(self) -> list[str]:
        return self.table.types(self.incident.id)

    def pointer(self, alarm: str = "checkout-errors") -> dict[str, Any]:
        return self.table.records[pointer_key(arn(alarm))]

    def end(self, incident_id: str) -> None:
        """Resolve it, as a person or the sweeper does."""

        def decide(current: Incident) -> tuple[Change, Iterable[Write]]:
            change = lifecycle.resolve(current, actor=SYSTEM, at=self.clock())
            return change, closing(self.table, change.incident)

        amend(self.table, incident_id, decide)
