"""What keeps people from being told: silences and maintenance windows, how they are kept, and which hold now.

`QUIET` / `SIL-…` and `MNT-…` are those that hold or will: one small read tells them all. `QUIET#KEPT` has every one
there was, for `KEPT` after its end. `QUIET#HELD` / `INC-…` are the incidents that wait for the end of one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError

from incidentio.core.errors import Conflict, NotFound
from incidentio.core.ids import iso, moment
from incidentio.core.incident import Incident
from incidentio.core.labels import labels_of
from incidentio.core.maintenance import Maintenance, Window
from incidentio.core.matchers import Matcher, all_match
from incidentio.core.ports import ABSENT, Delete, Key, Put, Record, Records, Refused
from incidentio.core.recurrence import Unusable
from incidentio.core.routing import Routing
from incidentio.core.signal import Kind, Mode
from incidentio.core.silence import Silence

LIVE, KEPT_UNDER, HELD = "QUIET", "QUIET#KEPT", "QUIET#HELD"
KEPT = timedelta(days=90)
MOST = 200
"""Silences and windows at one time: more could not be read at every telling."""

INHIBITION = "inhibition by "
"""Begins the id of one, which is no silence's or window's."""
_FOR_EVER = 9000


@dataclass(frozen=True)
class Quiet:
    """One silence, window or inhibition that holds now, until `until`; of the last that is only when it is looked at
    again, and `ends` says when it is over.
    """

    kind: Literal["silence", "maintenance", "inhibition"]
    id: str
    author: str
    reason: str
    until: datetime
    matchers: tuple[Matcher, ...]
    mode: Mode = Mode.LIVE
    ends: str | None = None

    def __str__(self) -> str:
        """The words of the timeline: who, why, until when."""
        if self.ends:
            return f"inhibited: {self.reason}, by {self.author}, and told of {self.ends}"
        how = f"silenced by {self.id}" if self.kind == "silence" else f"maintenance {self.id}"
        return f"{how} ({self.author}, {self.reason}) until {moment(self.until)}"


@dataclass(frozen=True)
class Broken:
    """A silence or window that cannot be evaluated, and `why` not: it holds nothing back."""

    id: str
    why: str

    def __str__(self) -> str:
        return f"{self.id} holds nothing back, as it cannot be evaluated ({self.why}): end it and make another"


@dataclass(frozen=True)
class Quiets:
    """Everything that holds at one moment; `watched` would hold if it were not in monitor mode."""

    at: datetime
    holding: tuple[Quiet, ...] = ()
    watched: tuple[Quiet, ...] = ()
    inhibition: Quiet | None = None
    """Of the incident at hand."""
    broken: tuple[Broken, ...] = ()
    """Whoever asks for quiets makes these known."""

    def over(self, incident: Incident) -> Quiet | None:
        """What keeps people from being told of `incident`, the one that ends last. Nothing holds back a heartbeat."""
        return self._last(incident, self.holding) or self.inhibition

    def maintenance_of(self, incident: Incident) -> Quiet | None:
        """The maintenance window `incident` is in, the one that ends last."""
        return self._last(incident, (quiet for quiet in self.holding if quiet.kind == "maintenance"))

    def would_be_over(self, incident: Incident) -> Quiet | None:
        """What would keep people from being told of `incident`, if it were not in monitor mode."""
        return self._last(incident, self.watched)

    def _last(self, incident: Incident, quiets: Iterable[Quiet]) -> Quiet | None:
        if incident.kind is Kind.HEARTBEAT:
            return None
        labels = labels_of(incident)
        fitting = (quiet for quiet in quiets if all_match(quiet.matchers, labels))
        return max(fitting, key=lambda quiet: quiet.until, default=None)


def monitored_by(incident: Incident, routing: Routing) -> str | None:
    """Why nobody is told of `incident` and nothing starts by itself, whatever happens; None for a live one."""
    if incident.mode is Mode.MONITOR:
        return "monitor mode"
    route = routing.route.find(labels_of(incident))
    return f"monitor mode of {route.words}" if route.monitors else None


def quiets_at(records: Records, windows: Iterable[Maintenance], at: datetime) -> Quiets:
    """What holds at `at`: one read of what people made, and the catalogue's `windows`.

    One that cannot be evaluated does not hold: who waits for a page must not wait for a person to repair it.
    """
    broken: list[Broken] = []
    live = list(_readable(records.query(LIVE, limit=2 * MOST), broken))
    silences = [_silenced(s) for s in live if isinstance(s, Silence) and s.state(at) == "active"]
    made = [(w.id, w.maintenance) for w in live if isinstance(w, Window)]
    known = [(w.name, w) for w in windows]
    found = (*silences, *_open((*made, *known), at, broken))
    holding = tuple(quiet for quiet in found if quiet.mode is Mode.LIVE)
    watched = tuple(quiet for quiet in found if quiet.mode is Mode.MONITOR)
    return Quiets(at, holding, watched, broken=tuple(broken))


def add(records: Records, made: Silence | Window, *, key: str | None = None) -> None:
    """Keep a new one, to hold and for the record. `key` is the `Idempotency-Key` it was made with.

    Raises:
        Conflict: there are too many.
        Refused: the id is taken.
    """
    if sum(1 for _ in records.query(LIVE, limit=MOST)) >= MOST:
        raise Conflict(f"there are {MOST} silences and maintenance windows already: end some, or match more with one")
    over = made.ends_at if isinstance(made, Silence) else made.maintenance.over_at()
    body = made.model_dump(mode="json", exclude_none=True)
    records.write(
        Put(Record(Key(LIVE, made.id), body, over), when=ABSENT),
        Put(Record(Key(KEPT_UNDER, made.id), {**body, **({"key": key} if key else {})}, _kept(over)), when=ABSENT),
    )


def kept(records: Records, id: str) -> tuple[Silence | Window, str | None]:
    """One by its id, whether it still holds or not, and the `key` it was made with.

    Raises:
        NotFound: there is none, or it was over 90 days ago.
    """
    body = records.get(Key(KEPT_UNDER, id))
    if body is None:
        what = "silence" if id.startswith("SIL-") else "maintenance window"
        raise NotFound(f"there is no {what} {id[:40]}")
    return _stored(body), body.get("key")


def all_kept(records: Records, prefix: str) -> list[Silence | Window]:
    """Every one there was, by id, but for what cannot be read: it holds nothing back either (see `quiets_at`)."""
    return list(_readable(records.query(KEPT_UNDER, prefix), []))


def end(records: Records, id: str, *, by: str, at: datetime) -> Silence | Window:
    """End it now; what it held back is told by the next sweep. Ending what is over changes nothing.

    Raises:
        NotFound: there is none, or what is there cannot be read: then it is removed.
    """
    try:
        found, key = kept(records, id)
    except ValidationError:
        records.write(Delete(Key(LIVE, id)), Delete(Key(KEPT_UNDER, id)))
        raise NotFound(f"{id[:40]} could not be read, and is removed") from None
    if found.state(at) in ("expired", "ended"):
        return found
    after: Silence | Window
    if isinstance(found, Silence):
        after = found.model_copy(update={"ends_at": max(at, found.starts_at), "ended_by": by})
    else:
        after = found.model_copy(update={"ended_at": at, "ended_by": by})
    body = {**after.model_dump(mode="json", exclude_none=True), **({"key": key} if key else {})}
    try:
        records.write(
            Delete(Key(LIVE, id)),
            Put(Record(Key(KEPT_UNDER, id), body, at + KEPT), when={"id": id, "ended_by": None}),
        )
    except Refused:
        return kept(records, id)[0]
    return after


def held_write(incident_id: str, quiet: Quiet) -> Put:
    """Remember that `incident_id` waits for the end of `quiet`, so that ending it early wakes the incident."""
    body = {"quiet": quiet.id, "until": iso(quiet.until)}
    return Put(Record(Key(HELD, incident_id), body, quiet.until + timedelta(days=2)))


def held(records: Records) -> dict[str, str]:
    """Incident id → the quiet it waits for."""
    return {key.sk: str(body["quiet"]) for key, body in records.query(HELD)}


def let_go(incident_id: str, quiet_id: str) -> Delete:
    """It does not wait for that one any more. Refused where it waits for another by now."""
    return Delete(Key(HELD, incident_id), when={"quiet": quiet_id})


def _stored(body: Mapping[str, Any]) -> Silence | Window:
    return Window.model_validate(body) if "maintenance" in body else Silence.model_validate(body)


def _silenced(silence: Silence) -> Quiet:
    author, why = silence.author, silence.comment
    return Quiet("silence", silence.id, author, why, silence.ends_at, silence.matchers, silence.mode)


def _readable(stored: Iterable[tuple[Key, Mapping[str, Any]]], broken: list[Broken]) -> Iterator[Silence | Window]:
    for key, body in stored:
        try:
            yield _stored(body)
        except ValidationError as error:
            fields = {".".join(map(str, e["loc"])) for e in error.errors(include_url=False, include_input=False)}
            broken.append(Broken(key.sk, f"it is stored in another form: {', '.join(sorted(fields))}"))


def _open(windows: Iterable[tuple[str, Maintenance]], at: datetime, broken: list[Broken]) -> Iterator[Quiet]:
    for id, window in windows:
        try:
            now = window.open_at(at)
        except Unusable as error:
            broken.append(Broken(id, str(error)))
            continue
        if now:
            yield Quiet("maintenance", id, window.author, window.reason, now[1], window.matchers, window.mode)


def _kept(over: datetime | None) -> datetime | None:
    return over + KEPT if over and over.year < _FOR_EVER else None
