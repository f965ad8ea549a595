from dataclasses import dataclass, field
from typing import Any

import pytest

from incidentio.core.bundle import Bundle
from incidentio.core.errors import IncidentioError, NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident, recorded
from incidentio.core.members import member_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record
from incidentio.core.severity import parse_severity
from incidentio.core.signal import Signal, SignalState, Subject
from incidentio.ingest.opening import member_body
from incidentio.triage.enrich import enrich
from tests.fakes import FakeClock, FakeTable
from tests.make import an_incident

ID = "INC-7K3F9A"
ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:checkout-5xx"
REASON = "Threshold Crossed: 1 datapoint [12.0 (01/03/26 11:58:00)] was greater than the threshold (5.0)."

THROTTLE: dict[str, Any] = {
    "name": "throttle-function",
    "version": "1.0.0",
    "owner": "platform",
    "risk": "disruptive",
    "when": ['metric="Errors"', 'dim_FunctionName=~".+"'],
    "targets": {"type": "AWS::Lambda::Function"},
    "steps": [{"action": "set-reserved-concurrency"}],
}
CATALOG: dict[str, Any] = {
    "services": {
        "orders-db": {"tier": 2, "match": {"tags": {"app": "orders"}}},
        "checkout": {"tier": 1, "depends_on": ["orders-db"], "match": {"alarm_names": ["checkout-*"]}},
        "web": {"depends_on": ["checkout"], "environment": "staging", "match": {"alarm_arns": ["*:alarm:web-*"]}},
    }
}


def bundle_of(catalog: dict[str, Any] | None = None, *playbooks: dict[str, Any]) -> Bundle:
    return Bundle.of({"catalog": catalog or {}, "playbooks": {p["name"]: p for p in playbooks}})


def subject(name: str = "checkout-5xx", **fields: Any) -> Subject:
    arn = ARN.replace("checkout-5xx", name)
    return Subject(account="111122223333", region="eu-west-1", alarm_name=name, alarm_arn=arn, **fields)


@dataclass
class FakeTags:
    """Tags by alarm ARN; `failure` is raised instead; `asked` counts the calls."""

    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    failure: IncidentioError | None = None
    asked: int = 0

    def tags_of(self, alarm_arn: str) -> dict[str, str]:
        self.asked += 1
        if self.failure:
            raise self.failure
        if alarm_arn not in self.tags:
            raise NotFound(f"reading the tags of {alarm_arn}: ResourceNotFound")
        return self.tags[alarm_arn]


@dataclass
class Room:
    table: FakeTable = field(default_factory=FakeTable)
    tags: FakeTags = field(default_factory=lambda: FakeTags({ARN: {}}))
    clock: FakeClock = field(default_factory=FakeClock)
    bundle: Bundle = field(default_factory=bundle_of)

    def open(self, *, tags: dict[str, str] | None = None, said: str | None = None, **fields: Any) -> None:
        """Commit an incident as ingest does: summary, first entry, and a member record with tags and severity."""
        incident = an_incident(
            **{"subject": subject(), "title": "checkout-5xx", "dedup_key": ARN, "members": 1, **fields}
        )
        change = recorded(incident, "IncidentTriggered", actor=SYSTEM, at=self.clock(), text="fires")
        signal = Signal(
            source="cloudwatch",
            dedup_key=ARN,
            state=SignalState.FIRING,
            changed_at=self.clock(),
            received_at=self.clock(),
            title="checkout-5xx",
            reason=REASON,
            severity=parse_severity(said) if said else None,
            subject=incident.subject,
            tags=tags or {},
        )
        member = member_body(signal, first_seen_at=iso(self.clock()))
        self.table.commit(change, *([Put(Record(member_key(ID, ARN), member))] if incident.dedup_key else []))

    def triage(self) -> Incident:
        return enrich(ID, table=self.table, alarm_tags=self.tags, bundle=self.bundle, clock=self.clock)

    @property
    def last(self) -> dict[str, Any]:
        return self.table.entries[ID][-1].data


@pytest.fixture
def room() -> Room:
    return Room()
