"""A delivery of the queue: domain events and looks by the sweep, each handled for itself."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from incidentio.aws.observability import log
from incidentio.communicate.sweep import covered, sweep
from incidentio.communicate.tell import Outcome, Teller
from incidentio.core.errors import Unavailable
from incidentio.core.events import DomainEvent


@dataclass(frozen=True)
class Report:
    """Ids of the messages to deliver again, and what was done about the others."""

    failed: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def counts(self) -> dict[str, int]:
        published = sum(outcome.verb == "published" for outcome in self.outcomes)
        return {"PagesPublished": published, "NotTold": len(self.failed)}


def handle(records: Iterable[Mapping[str, Any]], teller: Teller) -> Report:
    """Handle every message; one that fails does not stop the others and ends, after some tries, in the dead letters.

    News first. Of looks, however many came, one is enough: it begins after all of them were asked for.
    """
    began = teller.clock()
    failed: list[str] = []
    outcomes: list[Outcome] = []
    looks: list[Mapping[str, Any]] = []
    for record in records:
        try:
            body = json.loads(record["body"])
            if "sweep" in body:
                looks.append(record)
            else:
                outcomes.append(_told(body, teller))
        except Exception as error:  # noqa: BLE001 - whatever it is, the message comes back and the others go on
            failed.append(_not_told(record, error))
    if looks:
        try:
            outcomes += _looked(max(map(_sent_at, looks)), began, teller)
        except Exception as error:  # noqa: BLE001 - as above
            failed.append(_not_told(looks[0], error))
    return Report(tuple(failed), tuple(outcomes))


def _not_told(record: Mapping[str, Any], error: Exception) -> str:
    log("not told", level="ERROR", message_id=record["messageId"], error=repr(error))
    return str(record["messageId"])


def _sent_at(record: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1000, UTC)


def _looked(asked_at: datetime, began: datetime, teller: Teller) -> list[Outcome]:
    if covered(teller, asked_at):
        return [Outcome("nothing", "a later look has seen all that this one would")]
    swept = sweep(teller, began)
    for incident_id, outcomes in swept.done.items():
        log("swept", incident_id=incident_id, done=[str(outcome) for outcome in outcomes])
    if swept.left:
        log("out of time, the rest is for the next sweep", level="WARNING", left=swept.left)
    if swept.failed:
        raise Unavailable(f"the sweep failed for {swept.failed}")
    return [outcome for outcomes in swept.done.values() for outcome in outcomes]


def _told(body: Mapping[str, Any], teller: Teller) -> Outcome:
    event = DomainEvent.model_validate(body["detail"])
    outcome = teller.told(event)
    log(str(outcome), event=event.type, incident_id=event.incident_id, correlation_id=event.correlation_id)
    return outcome
