"""One run of signals on its way into the table: what is known of its pointer, and the writes that move it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from incidentio.core.catalog import Catalog
from incidentio.core.grouping import Group, group_of
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.inhibition import Inhibited, as_source
from incidentio.core.labels import labels_of_signal
from incidentio.core.members import left_key, member_key, pointer_key
from incidentio.core.ports import ABSENT, Condition, Delete, Key, Put, Record, Records, Update, Write
from incidentio.core.signal import Mode, Signal, SignalState
from incidentio.ingest.decide import NOTE_EVERY, Pointer, Step, decide
from incidentio.ingest.opening import member_body, pointer_body, said
from incidentio.ingest.outcome import Outcome
from incidentio.ingest.run import Run

_FENCE_KEPT = timedelta(days=15)  # longer than a queue keeps the alarm that it makes late
_GUARDED = ("incident_id", "open", "state", "mode", "fence", "severity", "inhibited", "apart")
_COUNTERS = ("count", "stale")


@contextmanager
def blamed(*cases: "Case") -> Iterator[None]:
    """Whatever goes wrong inside is the result of those that have none yet, and of no others."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the queue delivers these again
        for case in cases:
            if case.result is None:
                case.result = error


@dataclass(eq=False)
class Case:
    """`stored` is the pointer record as last seen. `ended`: the incident it names turned out to be over.

    `moved`: incidents that cannot take the signal, and the one each was merged into ("" where there is none).
    `previous`: the incident it had before, which is over. `in_rate`: it is counted in the rate of new incidents.
    `would`: what rules in monitor mode would have made of it, by the rule's kind.
    `result` is how it ended: an outcome, or what prevents it for now.
    """

    run: Run
    catalog: Catalog
    now: datetime
    stored: Mapping[str, Any] | None
    ended: bool = False
    moved: dict[str, str] = field(default_factory=dict)
    in_rate: bool = False
    previous: str | None = None
    would: dict[str, str] = field(default_factory=dict)
    promoted: Outcome | None = None
    result: Outcome | Exception | None = None

    @cached_property
    def _as_sent(self) -> Signal:
        return self.run.signal(self.now)

    @property
    def signal(self) -> Signal:
        """With what was said before of a firing that nobody was told of yet: that it is live, and how bad it is."""
        sent, unheard = self._as_sent, self._unheard
        if unheard is None:
            return sent
        told: dict[str, Any] = {}
        if sent.mode is Mode.MONITOR and unheard.mode is Mode.LIVE:
            told |= {"mode": Mode.LIVE, "mode_reason": "another door has sent it as a live one"}
        if unheard.severity and not unheard.is_topped_by(sent.severity):
            told["severity"] = unheard.severity
        return sent.model_copy(update=told) if told else sent

    @property
    def _unheard(self) -> Pointer | None:
        pointer = self.pointer
        goes_on = pointer and pointer.state is self.run.state is SignalState.FIRING
        return pointer if pointer and goes_on and pointer.is_silent else None

    @cached_property
    def labels(self) -> dict[str, str]:
        subject, tags = self.signal.subject, self.signal.tags
        service = self.signal.service or self.catalog.service_of(subject, tags)
        return labels_of_signal(self.signal, service=service)

    @cached_property
    def group(self) -> Group | None:
        route = self.catalog.routing.route
        return group_of(route, self.labels) if route.groups else None

    @property
    def threshold(self) -> int:
        return self.group.grouping.threshold if self.group and not self.group.grouping.monitors else 1

    @property
    def key(self) -> Key:
        return pointer_key(self.run.dedup_key)

    @property
    def pointer(self) -> Pointer | None:
        pointer = Pointer.of(self.stored)
        return replace(pointer, open=False, ended=True) if pointer and self.ended else pointer

    def step(self) -> Step:
        return decide(
            self.pointer,
            state=self.run.state,
            changed_at=self.run.changed_at,
            mode=self.run.mode,
            noted_before=iso(self.now - NOTE_EVERY),
            severity=self.run.severity,
        )

    @property
    def noted_at(self) -> str:
        return iso(self.now)

    def see(self, stored: Mapping[str, Any] | None) -> None:
        """Somebody else changed the pointer."""
        self.stored, self.ended = stored, False

    def done(self, step: Step, incident_id: str | None) -> None:
        self.result = self.promoted or Outcome(step, incident_id)

    def go_on(self, stored: Mapping[str, Any] | None) -> None:
        """It was promoted, which is its result in the end; its messages are yet to be counted."""
        if isinstance(self.result, Outcome):
            self.promoted = self.result
        self.result = None
        self.see(stored)

    @property
    def is_worse(self) -> bool:
        return self.pointer is not None and self.pointer.is_topped_by(self.run.severity)

    # --- what a member counts for

    def is_member(self, incident: Incident) -> bool:
        return self.pointer is not None and self.pointer.incident_id == incident.id and not self.pointer.has_left

    def fires_in(self, incident: Incident) -> bool:
        """It is counted as firing there already."""
        return self.is_member(incident) and self.pointer is not None and self.pointer.state is SignalState.FIRING

    @property
    def changes(self) -> list[int]:
        """Its state changes, this one included if it is one, as far as they count for flapping."""
        flapping, pointer = self.catalog.routing.flapping, self.pointer
        if flapping is None:
            return []
        recent = flapping.recent(pointer.changes if pointer else (), datetime.fromisoformat(self.run.changed_at))
        return recent[:-1] if pointer and pointer.state is self.run.state else recent

    @property
    def flaps(self) -> bool:
        flapping = self.catalog.routing.flapping
        return flapping is not None and len(self.changes) >= flapping.changes

    # --- writes

    def count(self, records: Records, step: Step) -> None:
        """It changes nothing: count it on the pointer."""
        pointer = self.pointer
        if pointer is None:
            return
        attribute = "stale" if step is Step.STALE else "count"
        sets = {"last_seen_at": iso(self.now), **self._began_earlier}
        if step is Step.DUPLICATE:
            sets["fence"] = self._fence
        records.add(self.key, {attribute: self.run.count}, sets=sets, when=self.unchanged)

    def remembered(self) -> Write:
        """Only the fence: ok, and of no open incident."""
        if self.pointer and self.pointer.incident_id:
            return self.pointing(state=SignalState.OK)
        return Put(Record(self.key, self._whole_pointer(None, Mode.LIVE), self.now + _FENCE_KEPT), when=self.unchanged)

    def joining(self, incident: Incident, *, rule: Inhibited | None = None) -> list[Write]:
        """Member record and pointer of a signal that fires in `incident`, inhibited by `rule` or not."""
        first_seen = str((self.stored or {}).get("first_seen_at") or iso(self.now))
        body = member_body(self.signal, first_seen_at=first_seen)
        if rule:
            body = {**self.kept, "first_seen_at": first_seen, "inhibited": str(rule)}
        member = Record(member_key(incident.id, self.run.dedup_key), body)
        heard = (incident.mode, self.signal.mode) if rule is None else (self.signal.mode,)
        mode = Mode.LIVE if Mode.LIVE in heard else Mode.MONITOR
        held = {"inhibited": True, "inhibitor": rule.mark} if rule else {}
        pointer: Write
        if self.pointer is None or self.pointer.incident_id is None:
            body = {**self._whole_pointer(incident.id, mode), **({"open": False, **held} if rule else {})}
            pointer = Put(Record(self.key, body), when=self.unchanged)
        else:
            told = {"incident_id": incident.id, "open": not rule, "state": SignalState.FIRING, "mode": mode.value}
            changed = held if rule else {"inhibited": False} if self.pointer.inhibited else {}
            arrived = {"apart": ""} if self.pointer.has_left else {}
            began = self._began_in(incident.id)
            pointer = self.pointing(**told, **changed, **arrived, **began, severity=self._said, **self._changes)
        return [Put(member), pointer, *self._inhibiting, *self._arrived]

    def worsening(self, incident: Incident) -> list[Write]:
        """Still firing in `incident`, worse than it was: with what it says now, and live if it is by now."""
        body = member_body(self.signal, first_seen_at="")
        told = {name: body[name] for name in ("title", "reason", "severity")}
        live = {"mode": Mode.LIVE.value} if self.signal.mode is Mode.LIVE else {}
        return [
            Update(member_key(incident.id, self.run.dedup_key), told),
            self.pointing(**live, **self._began_earlier, severity=self._said),
            *self._inhibiting,
        ]

    @property
    def is_inhibited(self) -> bool:
        return self.pointer is not None and self.pointer.inhibited

    def is_held_by(self, rule: Inhibited | None) -> bool:
        """It fires and is inhibited by that already, and says nothing new."""
        pointer = self.pointer
        if pointer is None or rule is None or pointer.state is not SignalState.FIRING or self.is_worse:
            return False
        attached = (pointer.mode, self.run.mode) == (Mode.MONITOR, Mode.LIVE)
        return pointer.inhibitor == rule.mark and not attached

    def recovering(self, incident: Incident) -> list[Write]:
        """It is ok in `incident`; whether an inhibited one belongs there is looked at when it fires again."""
        told = {"state": SignalState.OK.value, "changed_at": self.run.changed_at}
        pointing = self.pointing(state=SignalState.OK, open=not self.is_inhibited, **self._changes)
        return [Update(member_key(incident.id, self.run.dedup_key), told), pointing]

    def pointing(self, **sets: Any) -> Write:
        """The stored pointer, moved to this state change (a note moves no fence)."""
        if self.run.state is not SignalState.NOTE:
            sets["fence"] = self._fence
        told = {name: value.value if isinstance(value, SignalState) else value for name, value in sets.items()}
        sets = {**told, "last_seen_at": iso(self.now)}
        return Update(self.key, sets, when=self.unchanged, adds={"count": self.run.count})

    @property
    def live(self) -> Write:
        """It has been told that it is live."""
        return Update(self.key, {"mode": Mode.LIVE.value}, when=self.unchanged)

    @property
    def unchanged(self) -> Condition:
        if self.stored is None:
            return ABSENT
        alone = self.stored.get("incident_id") is None  # such a record is replaced whole, with its counters
        return {name: self.stored.get(name) for name in (*_GUARDED, *(_COUNTERS if alone else ()))}

    @property
    def _fence(self) -> str:
        """What repeats may have been overtaken by the next of its kind."""
        return max(self.pointer.fence if self.pointer else "", self.run.changed_at)

    def _began_in(self, incident_id: str) -> dict[str, str]:
        """Where it begins to fire: what was known until now belongs to an earlier firing."""
        pointer, began = self.pointer, {"began_at": self.run.began_at}
        if pointer is None:
            return began
        if pointer.state is SignalState.FIRING and pointer.is_silent:
            return self._began_earlier
        if pointer.state is SignalState.FIRING and pointer.incident_id == incident_id:
            return self._began_earlier if pointer.open else began
        return began | {"began_after": pointer.fence}

    @property
    def _began_earlier(self) -> dict[str, str]:
        """It belongs to the firing that is known, and was overtaken by all that was known of that."""
        pointer, began_at = self.pointer, self.run.began_at
        fires = pointer and self.run.state is SignalState.FIRING
        return {"began_at": began_at} if pointer and fires and pointer.began_after < began_at < pointer.began_at else {}

    @property
    def _said(self) -> str:
        return said(self.signal)

    @property
    def _changes(self) -> dict[str, Any]:
        return {"changes": self.changes} if self.catalog.routing.flapping else {}

    @property
    def kept(self) -> dict[str, Any]:
        """All of the signal that it takes to hear it again without another message."""
        own = {"mode": self.signal.mode.value, "mode_reason": self.signal.mode_reason}
        return member_body(self.signal, first_seen_at=iso(self.now)) | own

    @property
    def _arrived(self) -> list[Write]:
        """It had left an incident, and is in another one now."""
        pointer = self.pointer
        return [Delete(left_key(pointer.apart, self.run.dedup_key))] if pointer and pointer.has_left else []

    @property
    def inhibits_others(self) -> bool:
        return bool(self._inhibiting)

    @property
    def _inhibiting(self) -> list[Write]:
        rules = self.catalog.routing.inhibit_rules
        return (
            [side.write(self.run.dedup_key, self.run.changed_at) for side in as_source(rules, self.labels)]
            if rules
            else []
        )

    def _whole_pointer(self, incident_id: str | None, mode: Mode) -> dict[str, Any]:
        counted = self.stored or {}
        body = pointer_body(
            self.signal,
            incident_id=incident_id,
            mode=mode,
            fence=self.run.changed_at,
            count=self.run.count + int(counted.get("count", 0)),
            stale=int(counted.get("stale", 0)),
            at=self.now,
        )
        return body | self._changes | (self._began_in(incident_id) if incident_id else {})
