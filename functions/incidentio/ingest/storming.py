"""Storm mode at the door: what would open a live incident of its own goes to the storm while one goes on.

Children are one incident a service, so that each team sees its own; what belongs to no service joins the parent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidentio.aws.observability import log, told
from incidentio.core.duration import format_duration
from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.grouping import Group, Grouping, group_key
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Filters, Put, Record, Refused, Stale, Table, Update, Write
from incidentio.core.severity import Severity, worst
from incidentio.core.signal import Kind, Mode, SignalState
from incidentio.core.storm import DEDUP_KEY, RATE, SOURCE, Storm, by_storm, parent_of
from incidentio.ingest.case import Case
from incidentio.ingest.placing import Opening, Place, group_record_place

_CHILD = Grouping(window=timedelta(days=7))
_LOOKED_AT = 50
_PAGES = 40
_ADOPTED = 500
_ID_ATTEMPTS = 5


class Storms:
    """The storms of one deployment."""

    def __init__(self, table: Table, storm: Storm | None, new_id: Callable[[], str]) -> None:
        self._table = table
        self._storm = storm
        self._new_id = new_id

    def placed(
        self, arriving: Sequence[tuple[Case, Place | Opening]], now: datetime
    ) -> list[tuple[Case, Place | Opening]]:
        """The same, with everything that would open a live incident put into the storm that goes on, if one does."""
        opening = _that_open(arriving)
        parent = self.parent_for(opening, now)
        if parent is None:
            return list(arriving)
        groups = {case.run.dedup_key: group for case in opening if (group := _of_service(case, parent))}
        stored = self._table.get_many([group.key for group in groups.values()]) if groups else {}
        found: list[tuple[Case, Place | Opening]] = []
        for case, place in arriving:
            if case not in opening:
                found.append((case, place))
            elif group := groups.get(case.run.dedup_key):
                record = stored.get(group.key)
                joined = group_record_place(case, record, why=f"in the storm {parent}, {group.text}")
                own = place if isinstance(place, Opening) else None
                found.append((case, joined or Opening(group, record, parent, own)))
            else:
                found.append((case, Place(parent, f"in the storm {parent}")))
        return found

    def one_more(self, cases: Sequence[Case]) -> str | None:
        """Count an incident that these signals make people hear of; the open incident of the storm it belongs to."""
        live = [case for case in cases if case.signal.mode is Mode.LIVE]
        return self.parent_for(live[:1] or cases[:1], cases[0].now)

    def parent_for(self, opening: Sequence[Case], now: datetime) -> str | None:
        """Count these new live incidents; the open incident of the storm, which may begin with them."""
        if self._storm is None or not opening:
            return None
        fresh = [case for case in opening if not case.in_rate]
        try:
            body = self._storm.counted(self._table, len(fresh), now) if fresh else self._table.get(RATE) or {}
        except Unavailable as error:  # rather an incident too many than a signal that waits
            log("the rate of new incidents was not counted", level="WARNING", **told(error))
            return None
        for case in fresh:
            case.in_rate = True
        rate = self._storm.rate(body, now)
        if self._storm.mode is Mode.MONITOR:
            self._only_shown(self._storm, opening, rate)
            return None
        if (parent := parent_of(body)) and (known := self._open(parent)):
            return known
        return self._begun(self._storm, body, opening, round(rate), now) if rate >= self._storm.opens else None

    def _only_shown(self, storm: Storm, opening: Sequence[Case], rate: float) -> None:
        if rate >= storm.opens:
            many = f"about {round(rate)} live incidents within {format_duration(storm.within)} (it takes {storm.opens})"
            for case in opening:
                case.would["storm"] = f"would be told of through a storm: {many}"

    def _open(self, incident_id: str) -> str | None:
        """The incident, or what it was merged into, if that is open."""
        try:
            incident = self._table.incident(incident_id)
            if incident.merged_into:
                incident = self._table.incident(incident.merged_into)
        except NotFound:
            return None
        return incident.id if incident.is_open else None

    def _begun(self, storm: Storm, body: Any, opening: Sequence[Case], rate: int, now: datetime) -> str | None:
        seen = _Seen(opening, self._before(iso(now - storm.within)), rate)
        for _ in range(_ID_ATTEMPTS):
            change = _parent(self._new_id(), storm, seen, now)
            incident = change.incident
            sets = {"parent": incident.id, "began_at": iso(now), "over_at": iso(now)}
            named = Update(RATE, sets, when={"parent": body.get("parent")})
            try:
                self._table.commit(change, named, *_own_signal(incident, now))
            except Stale:  # somebody has that id
                continue
            except Refused as refused:  # somebody was faster
                return parent_of(refused.current)
            return incident.id
        return None

    def _before(self, since: str) -> list[Mapping[str, Any]]:
        """The cards of the live incidents that opened `since`; what is only watched may be many times more."""
        found: list[Mapping[str, Any]] = []
        cursor = None
        for _ in range(_PAGES):
            page = self._table.page(Filters(status="open", kind="real"), limit=_LOOKED_AT, cursor=cursor)
            fresh = [card for card in page.items if card["detected_at"] >= since]
            found += [card for card in fresh if card.get("mode", "live") == Mode.LIVE]
            cursor = page.next
            if cursor is None or len(fresh) < len(page.items):
                break
        return found[:_ADOPTED]


def _that_open(arriving: Sequence[tuple[Case, Place | Opening]]) -> list[Case]:
    """Those that would open a live incident, one of each group."""
    groups, found = set(), []
    for case, place in arriving:
        if isinstance(place, Opening) and _is_live(case) and not (place.group and place.group.key in groups):
            found.append(case)
            groups |= {place.group.key} if place.group else set()
    return found


def _is_live(case: Case) -> bool:
    return case.signal.mode is Mode.LIVE and case.signal.kind is Kind.REAL and case.threshold == 1


def _of_service(case: Case, parent: str) -> Group | None:
    service = case.labels["service"]
    return Group(group_key(("storm", parent, service)), f"service={service}", _CHILD) if service else None


@dataclass(frozen=True)
class _Seen:
    """What a storm begins with: the signals that tipped it, the cards of what is open, and how many it is about."""

    opening: Sequence[Case]
    before: Sequence[Mapping[str, Any]]
    rate: int


def _parent(incident_id: str, storm: Storm, seen: _Seen, now: datetime) -> Change:
    within = format_duration(storm.within)
    rate, before = seen.rate, seen.before
    signals = [case.signal for case in seen.opening]
    severities = [s.severity or Severity.SEV2 for s in signals] + [Severity(card["severity"]) for card in before]
    environments = {s.environment or "production" for s in signals} | {str(card["environment"]) for card in before}
    incident = Incident(
        id=incident_id,
        title=f"Storm: {rate} incidents in {within}",
        severity=worst(severities),
        environment="production" if "production" in environments else min(environments),
        mode=Mode.LIVE,
        mode_reason=f"{rate} live incidents opened within {within}",
        correlation_id=incident_id,
        impact_started_at=min([now, *(s.changed_at for s in signals)]),
        detected_at=now,
        source=SOURCE,
        dedup_key=DEDUP_KEY,
        members=1,
        firing=1,
    )
    change = recorded(
        incident,
        "IncidentTriggered",
        actor=SYSTEM,
        at=now,
        text=f"{incident.title}, and more to come",
        data={"source": SOURCE, "mode": Mode.LIVE.value, "mode_reason": incident.mode_reason},
    )
    return change.recorded(
        "StormBegan",
        actor=SYSTEM,
        at=now,
        text=f"storm mode: {rate} live incidents within {within} (it takes {storm.opens}); "
        f"what opens from now on is told through this incident{storm.whose}",
        data={"rate": rate, "opens": storm.opens, "before": [card["id"] for card in before], **by_storm(storm)},
    )


def _own_signal(incident: Incident, now: datetime) -> list[Write]:
    """The storm as a member of its parent, with the severity triage keeps."""
    member = {
        "dedup_key": DEDUP_KEY,
        "state": SignalState.FIRING.value,
        "source": SOURCE,
        "title": incident.title,
        "reason": incident.mode_reason,
        "changed_at": iso(now),
        "first_seen_at": iso(now),
        "severity": incident.severity.value,
        "environment": incident.environment,
    }
    pointer = {
        "incident_id": incident.id,
        "open": True,
        "state": SignalState.FIRING.value,
        "mode": Mode.LIVE.value,
        "fence": iso(now),
        "count": 1,
        "stale": 0,
        "first_seen_at": iso(now),
        "last_seen_at": iso(now),
        "source": SOURCE,
    }
    return [
        Put(Record(member_key(incident.id, DEDUP_KEY), member)),
        Put(Record(pointer_key(DEDUP_KEY), pointer)),
    ]
