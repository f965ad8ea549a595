"""Every lane on fakes: what ingest, triage and communicate make of signals, and what the sweep does later."""

import json
from itertools import count
from typing import Any

from incidentio.communicate.sweep import sweep
from incidentio.communicate.tell import Teller
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from incidentio.core.events import NOTIFYING, RELEASING, SOURCE, TRIAGED, event_of
from incidentio.core.incident import Incident
from incidentio.core.members import pointer_key
from incidentio.detect.recovery import recover
from incidentio.detect.storm import watch_storm
from incidentio.triage.enrich import enrich
from tests.unit.communicate.conftest import FakeTopics, Sent
from tests.unit.ingest.doors import Desk, notification, signal

OPENS = 5


class NoTags:
    def tags_of(self, _arn: str) -> dict[str, str]:
        return {}


class Estate:
    """Every lane; `fire` is a delivery, after which triage and communicate hear of all that happened."""

    def __init__(self, **routing: Any) -> None:
        storm = {"opens": OPENS, "within": "5m", "quiet_for": "10m"}
        self.bundle = Bundle(catalog=Catalog.model_validate({"routing": {"storm": storm, **routing}}))
        numbers = count()
        self.desk = Desk(self.bundle.catalog, new_id=lambda: f"INC-{next(numbers):06d}")
        self.table, self.clock, self.topics = self.desk.table, self.desk.clock, FakeTopics()
        self.teller = Teller(self.table, self.topics, self.bundle, "https://api", self.clock, lambda _: None)
        self._heard: dict[str, int] = {}

    def fire(self, *names: str, service: str | None = None, state: str = "firing", **fields: Any) -> None:
        at = self.clock()
        told = {"severity": "SEV2", **({"service": service} if service else {}), **fields}
        self.desk(*(notification(signal(state, at, dedup_key=n, title=n, **told)) for n in names))
        self.hear()

    def hear(self) -> None:
        while fresh := [
            entry for id, entries in self.table.entries.items() for entry in entries[self._heard.get(id, 0) :]
        ]:
            for entry in fresh:
                self._heard[entry.incident_id] = entry.seq
                if entry.type in TRIAGED:
                    enrich(
                        entry.incident_id,
                        table=self.table,
                        alarm_tags=NoTags(),
                        bundle=self.bundle,
                        clock=self.clock,
                    )
                if entry.type in RELEASING:
                    told = {
                        "source": SOURCE,
                        "detail-type": entry.type,
                        "detail": event_of(entry).model_dump(mode="json"),
                    }
                    self.desk(json.dumps(told))
                if entry.type in NOTIFYING:
                    self.teller.told(event_of(entry))

    def sweep(self, **later: float) -> None:
        self.clock.advance(**later)
        recover(self.table, self.bundle.catalog.routing, self.clock())
        watch_storm(self.table, self.bundle.catalog.routing, self.clock())
        self.hear()
        sweep(self.teller)

    def of(self, name: str) -> Incident:
        return self.table.incident(self.table.records[pointer_key(name)]["incident_id"])

    @property
    def parent(self) -> Incident:
        (found,) = [i for i in self.table.incidents.values() if i.source == "storm"]
        return found

    def told(self, incident: Incident) -> list[Sent]:
        return [s for s in self.topics.sent if s.attributes["incident_id"] == incident.id]
