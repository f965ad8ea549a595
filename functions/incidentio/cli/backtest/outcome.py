"""What a simulated period came to: incidents, pages, by service and alarm, and why nobody was told of the rest."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from incidentio.cli.backtest.estate import Estate
from incidentio.cli.backtest.simulation import Simulated
from incidentio.core.incident import Incident
from incidentio.core.members import members_of
from incidentio.core.night import Night
from incidentio.core.signal import Kind, Mode
from incidentio.core.storm import DEDUP_KEY
from incidentio.core.timeline import Entry

NO_SERVICE = "no service"
"""No name of a service has a blank in it."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Made(_Model):
    """One incident. `pages` and `tickets` are calls ("there is something for you"), news of its end not counted.

    `opener` is the alarm that opened it, or its title where none did, and `alarms` are all that belong to it, that one
    first; `not_told` says why nobody was called; `parent` is the storm it is told through.
    """

    id: str
    title: str
    opener: str
    alarms: tuple[str, ...]
    service: str
    severity: str
    environment: str
    mode: str
    detected_at: datetime
    ended_at: datetime | None
    pages: int
    pages_at_night: int
    tickets: int
    not_told: str
    parent: str | None

    @property
    def told(self) -> bool:
        """Somebody was called."""
        return bool(self.pages or self.tickets)


class ByService(_Model):
    """`alarms`: how many of them opened or joined an incident of the service."""

    service: str
    alarms: int
    incidents: int
    pages: int
    pages_at_night: int
    tickets: int


class ByAlarm(_Model):
    """`fired`: how often it went to ALARM, or was in it when the period began. `joined`: incidents of others."""

    alarm: str
    service: str
    fired: int
    incidents: int
    joined: int
    pages: int
    pages_at_night: int
    tickets: int
    not_told: str


class Suppressed(_Model):
    """`incidents` nobody was called for, and `signals` that never became part of one, for the same reason."""

    why: str
    incidents: int = 0
    signals: int = 0


class Totals(_Model):
    """`signals`: state changes by what ingest made of them. `nights`: with at least one page."""

    alarms: int
    state_changes: int
    fired: int
    signals: dict[str, int]
    incidents: int
    live: int
    pages: int
    pages_at_night: int
    nights: int
    tickets: int


class Outcome(_Model):
    """Everything a report prints. Lists are complete, and worst first."""

    start: datetime
    end: datetime
    totals: Totals
    services: tuple[ByService, ...]
    alarms: tuple[ByAlarm, ...]
    incidents: tuple[Made, ...]
    suppressed: tuple[Suppressed, ...]
    given_up: tuple[str, ...]


def outcome(estate: Estate, simulated: Simulated, night: Night) -> Outcome:
    """Count what is in the simulated table."""
    table = simulated.table
    incidents = sorted(table.incidents.values(), key=lambda i: (i.detected_at, i.id))
    made = [_made(i, table.entries[i.id], _alarms(simulated, i), night) for i in incidents if i.kind is Kind.REAL]
    fired = Counter(change.alarm for change in estate.changes if change.new == "ALARM")
    fired.update(estate.firing_at_start())
    nights = {night.of(call.at) for i in incidents for call in _calls(table.entries[i.id], "page")} - {None}
    return Outcome(
        start=estate.start,
        end=estate.end,
        totals=Totals(
            alarms=len(estate.alarms),
            state_changes=len(estate.changes),
            fired=fired.total(),
            signals=dict(sorted(simulated.steps.items())),
            incidents=len(made),
            live=sum(m.mode == Mode.LIVE for m in made),
            pages=sum(m.pages for m in made),
            pages_at_night=sum(m.pages_at_night for m in made),
            nights=len(nights),
            tickets=sum(m.tickets for m in made),
        ),
        services=tuple(_by_service(made)),
        alarms=tuple(_by_alarm(made, fired, simulated)),
        incidents=tuple(made),
        suppressed=tuple(_suppressed(made, simulated)),
        given_up=tuple(simulated.given_up),
    )


def _alarms(simulated: Simulated, incident: Incident) -> tuple[str, ...]:
    """The storm itself is a signal of its parent, and no alarm."""
    opened = incident.subject.alarm_name
    keys = (str(m["dedup_key"]) for m in members_of(simulated.table, incident.id))
    others = (key.rpartition(":alarm:")[2] for key in keys if key != DEDUP_KEY)
    return tuple(dict.fromkeys([*([opened] if opened else []), *sorted(others)]))


def _made(incident: Incident, entries: Iterable[Entry], alarms: tuple[str, ...], night: Night) -> Made:
    entries = list(entries)
    pages, tickets = _calls(entries, "page"), _calls(entries, "ticket")
    silences = [str(e.data.get("reason", e.text)) for e in entries if e.type == "NotificationSkipped"]
    return Made(
        id=incident.id,
        title=incident.title,
        opener=incident.subject.alarm_name or incident.title,
        alarms=alarms,
        service=incident.service or NO_SERVICE,
        severity=incident.severity.value,
        environment=incident.environment,
        mode=incident.mode.value,
        detected_at=incident.detected_at,
        ended_at=incident.resolved_at if not incident.is_open else None,
        pages=len(pages),
        pages_at_night=sum(night.of(call.at) is not None for call in pages),
        tickets=len(tickets),
        not_told="" if pages or tickets else silences[-1] if silences else "not recorded",
        parent=incident.parent,
    )


def _calls(entries: Iterable[Entry], channel: str) -> list[Entry]:
    called = [e for e in entries if e.type == "PagePublished" and e.data.get("call")]
    return [e for e in called if e.data["channel"] == channel]


def _by_service(made: list[Made]) -> Iterable[ByService]:
    names = dict.fromkeys(m.service for m in made)
    rows = []
    for name in names:
        own = [m for m in made if m.service == name]
        rows.append(
            ByService(
                service=name,
                alarms=len({alarm for m in own for alarm in m.alarms}),
                incidents=len(own),
                pages=sum(m.pages for m in own),
                pages_at_night=sum(m.pages_at_night for m in own),
                tickets=sum(m.tickets for m in own),
            )
        )
    return sorted(rows, key=lambda r: (-r.pages, -r.incidents, r.service))


def _by_alarm(made: list[Made], fired: Counter[str], simulated: Simulated) -> Iterable[ByAlarm]:
    opened: dict[str, list[Made]] = {}
    joined: dict[str, list[Made]] = {}
    for m in made:
        opened.setdefault(m.opener, []).append(m)
        for alarm in m.alarms:
            if alarm != m.opener:
                joined.setdefault(alarm, []).append(m)
    rows = []
    for alarm, times in fired.items():
        own, others = opened.get(alarm, []), joined.get(alarm, [])
        silent = [m.not_told for m in own if m.not_told]
        _, why = simulated.ignored.get(alarm, (0, ""))
        rows.append(
            ByAlarm(
                alarm=alarm,
                service=(own or others)[-1].service if own or others else NO_SERVICE,
                fired=times,
                incidents=len(own),
                joined=len(others),
                pages=sum(m.pages for m in own),
                pages_at_night=sum(m.pages_at_night for m in own),
                tickets=sum(m.tickets for m in own),
                not_told=why or (silent[-1] if silent else ""),
            )
        )
    return sorted(rows, key=lambda r: (-r.pages, -r.fired, r.alarm))


def _suppressed(made: list[Made], simulated: Simulated) -> Iterable[Suppressed]:
    incidents = Counter(m.not_told for m in made if m.not_told)
    signals: Counter[str] = Counter()
    for times, why in simulated.ignored.values():
        signals[why] += times
    for entries in simulated.table.entries.values():
        for entry in (e for e in entries if e.type == "SignalInhibited"):
            signals[f"inhibited: {'; '.join(entry.data['rules'])}"] += entry.data.get("count", 1)
    rows = [
        Suppressed(why=why, incidents=incidents[why], signals=signals[why])
        for why in dict.fromkeys((*incidents, *signals))
    ]
    return sorted(rows, key=lambda r: (-r.incidents, -r.signals, r.why))
