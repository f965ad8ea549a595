"""What became of an incident, kept a while for reports: small, and read by day without reading incidents.

Written when an incident ends, and again when it ends after a reopening: key `ENDED#<day it was detected>` / `<id>`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from pydantic import BaseModel, ConfigDict

from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.ports import Key, Put, Record, Records
from incidentio.core.signal import SignalState
from incidentio.core.timeline import Entry

KEPT = timedelta(days=100)
MOST_A_DAY = 1000
_MOST_ALARMS = 50
_MOST_PAGES = 50
_NOT_WORK = frozenset({"IncidentCancelled", "IncidentMerged", "IncidentClosed", "IncidentSplit"})
_FIRES = frozenset({"IncidentTriggered", "SignalJoined", "SignalInhibited", "ImpactReturned", "IncidentReopened"})


class Played(BaseModel):
    """The part one signal had. `ok_after`: seconds it fired, each time until it was ok; `noted`: without a verdict."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    fired: int = 0
    noted: int = 0
    ok_after: tuple[int, ...] = ()


class Ended(BaseModel):
    """One incident that is over. `worked_on`: a person or a playbook did something about it.

    `signals` goes by dedup key, in no order; of a storm the first fifty are kept. `opened_by` is the key of the one
    that opened it, None where a person did.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    detected_at: datetime
    service: str | None
    severity: str
    mode: str
    status: str
    reason: str | None
    worked_on: bool
    flapped: bool
    paged_at: tuple[datetime, ...]
    opened_by: str | None
    signals: dict[str, Played]


def ended(incident: Incident, entries: Sequence[Entry]) -> Ended:
    """Read it off the timeline."""
    people = (e for e in entries if e.actor.kind == "person" and e.type not in _NOT_WORK)
    called = (e for e in entries if e.type == "PagePublished" and e.data.get("call") and e.data["channel"] == "page")
    signals = dict(islice(_signals(incident, entries).items(), _MOST_ALARMS))
    return Ended(
        id=incident.id,
        detected_at=incident.detected_at,
        service=incident.service,
        severity=incident.severity.value,
        mode=incident.mode.value,
        status=incident.status.value,
        reason=incident.resolution_reason,
        worked_on=next(people, None) is not None or any(e.type == "PlaybookSucceeded" for e in entries),
        flapped=incident.flapping_since is not None or any(played.fired > 2 for played in signals.values()),
        paged_at=tuple(e.at for e in islice(called, _MOST_PAGES)),
        opened_by=incident.dedup_key,
        signals=signals,
    )


def ended_write(outcome: Ended) -> Put:
    """The write that keeps it; the same incident again writes the same record."""
    day = outcome.detected_at.astimezone(UTC).date()
    body = outcome.model_dump(mode="json", exclude_defaults=True)
    return Put(Record(_key(day, outcome.id), body, outcome.detected_at + KEPT))


def ended_on(records: Records, day: date) -> Iterator[Ended]:
    """Incidents detected on that day (UTC) that are over, at most MOST_A_DAY of them."""
    for _, body in records.query(_key(day, "").pk, limit=MOST_A_DAY):
        yield Ended.model_validate(body)


def _key(day: date, incident_id: str) -> Key:
    return Key(f"ENDED#{day.isoformat()}", incident_id)


def _signals(incident: Incident, entries: Iterable[Entry]) -> dict[str, Played]:
    """Each signal's stays in firing, in the order of the timeline. One entry may tell of several at once."""
    found: dict[str, Played] = {}
    since: dict[str, datetime] = {}
    for entry in entries:
        at = datetime.fromisoformat(str(entry.data.get("changed_at") or iso(entry.at)))
        for key in _keys(incident, entry):
            played = found.get(key, Played())
            if entry.type in _FIRES:
                found[key] = played.model_copy(update={"fired": played.fired + 1})
                since.setdefault(key, at)
            elif entry.type == "SignalNoted" and entry.data.get("state") == SignalState.NOTE:
                found[key] = played.model_copy(update={"noted": played.noted + 1})
            elif entry.type == "SignalRecovered" and key in since:
                seconds = max(0, int((at - since.pop(key)).total_seconds()))
                found[key] = played.model_copy(update={"ok_after": (*played.ok_after, seconds)})
    return found


def _keys(incident: Incident, entry: Entry) -> list[str]:
    """The dedup keys an entry is about; that of the opening signal where it names none."""
    told = entry.data.get("dedup_keys") or [entry.data.get("dedup_key") or incident.dedup_key]
    return [str(key) for key in told if key]
