"""One try at carrying out a step: each method is one commit, guarded by the pointer it was decided on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.amend import Decision, amend
from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.lifecycle import impact_returned, reopen
from incidentio.core.members import member_key, pointer_key, reopening
from incidentio.core.ports import ABSENT, Condition, Key, Put, Record, Stale, Table, Update, Write
from incidentio.core.routing import Routing
from incidentio.core.signal import Mode, Signal, SignalState
from incidentio.ingest.decide import AfterEnd, Pointer, Step, after_end
from incidentio.ingest.locks import locking_incident
from incidentio.ingest.opening import actor_of, member_body, opened, pointer_body, promoted, sentence
from incidentio.ingest.outcome import Ended, Outcome
from incidentio.ingest.run import Run

_FENCE_KEPT = timedelta(days=15)  # longer than a queue keeps the alarm that it makes late
_ID_ATTEMPTS = 5
_MERGES_FOLLOWED = 5
_GUARDED = ("incident_id", "open", "state", "mode", "fence")


@dataclass(frozen=True, slots=True)
class Attempt:
    """`stored` is the pointer record as last seen, `pointer` what it means."""

    table: Table
    routing: Routing
    new_id: Callable[[], str]
    now: datetime
    run: Run
    signal: Signal
    stored: Mapping[str, Any] | None
    pointer: Pointer | None

    def carry_out(self, step: Step) -> Outcome:
        """Raises: Refused: the pointer moved. Ended. Whatever the table raises."""
        incident_id = self.pointer.incident_id if self.pointer else None
        match step:
            case Step.OPEN:
                return self._open(None)
            case Step.RETURNED:
                return self._returned()
            case Step.REMEMBER:
                self.table.write(self._remembered())
            case Step.FIRE_AGAIN if incident_id:
                self._fire_into(incident_id)
            case Step.PROMOTE if incident_id:
                self._promote(incident_id)
            case Step.RECOVER if incident_id:
                self._amend(incident_id, self._recovering)
            case Step.NOTE if incident_id:
                self._amend(incident_id, self._noting)
            case _:
                self._count(step)
        return Outcome(step, incident_id)

    # --- steps that touch the pointer only

    def _count(self, step: Step) -> None:
        if self.stored is None or self.pointer is None:
            return
        attribute = "stale" if step is Step.STALE else "count"
        sets = {"last_seen_at": iso(self.now)}
        if step is Step.DUPLICATE:
            sets["fence"] = max(self.pointer.fence, self.run.changed_at)
        self.table.add(self._key, {attribute: self.run.count}, sets=sets, when=self._unchanged)

    def _remembered(self) -> Write:
        if self.pointer and self.pointer.incident_id:
            return self._pointing(state=SignalState.OK)
        fence = Record(self._key, self._whole_pointer(None, Mode.LIVE), self.now + _FENCE_KEPT)
        return Put(fence, when=self._uncounted)

    # --- a new incident

    def _open(self, previous: str | None) -> Outcome:
        if holder := locking_incident(self.table, self.signal.subject, self.now):
            try:
                self._amend(holder, self._joining_holder)
                return Outcome(Step.JOINED, holder)
            except (Ended, NotFound):
                pass
        for _ in range(_ID_ATTEMPTS):
            change = opened(
                self.new_id(),
                self.signal,
                at=self.now,
                correlation_id=self.run.correlation_id,
                previous_incident_id=previous,
            )
            try:
                self.table.commit(change, *self._joining(change.incident))
            except Stale:  # somebody has that id
                continue
            return Outcome(Step.OPEN, change.incident.id)
        raise Unavailable("no free incident id in several tries")

    def _returned(self) -> Outcome:
        """The pointer's incident ended; or a merge moved on; or it only looked closed."""
        incident_id = self.pointer.incident_id if self.pointer else None
        for _ in range(_MERGES_FOLLOWED):
            try:
                incident = self.table.incident(incident_id or "")
            except NotFound:
                return self._open(None)
            match after_end(incident, now=self.now, window=self.routing.reopen_window):
                case AfterEnd.REJOIN:
                    self._fire_into(incident.id)
                    return Outcome(Step.FIRE_AGAIN, incident.id)
                case AfterEnd.REOPEN:
                    self._amend(incident.id, self._reopening)
                    return Outcome(Step.RETURNED, incident.id)
                case AfterEnd.FOLLOW:
                    incident_id = incident.merged_into
                case AfterEnd.NEW:
                    return self._open(incident.id)
        return self._open(incident_id)

    # --- steps on an incident

    def _amend(self, incident_id: str, decide: Callable[[Incident], Decision]) -> None:
        try:
            amend(self.table, incident_id, decide)
        except NotFound:
            raise Ended from None

    def _fire_into(self, incident_id: str) -> None:
        self._amend(incident_id, self._firing)

    def _joining_holder(self, incident: Incident) -> Decision:
        if incident.kind is not self.signal.kind:  # nobody is paged for a drill
            raise Ended
        return self._firing(incident, "on a target that a playbook is working on")

    def _firing(self, incident: Incident, why: str = "again") -> Decision:
        if not incident.is_open:
            raise Ended
        updates = {**self._counts(incident, incident.firing), "ok_since": None}
        text = sentence(f"{self.signal.title} fires {why}", self.signal)
        if incident.status is Status.MITIGATED:
            change = impact_returned(incident, actor=actor_of(self.signal), at=self.now, text=text, **updates)
        else:
            change = self._recorded(incident, "SignalJoined", text, **updates)
        change = self._promoted(change)
        return change, self._joining(change.incident)

    def _reopening(self, incident: Incident) -> Decision:
        if after_end(incident, now=self.now, window=self.routing.reopen_window) is not AfterEnd.REOPEN:
            raise Ended
        others, firing = reopening(self.table, incident)
        change = reopen(
            incident,
            actor=actor_of(self.signal),
            at=self.now,
            window=self.routing.reopen_window,
            why=sentence(f"{self.signal.title} fires again soon after the incident was resolved", self.signal),
            **self._counts(incident, firing),
        )
        change = self._promoted(change)
        own = [write for write in others if isinstance(write, Update) and write.key != self._key]
        return change, [*own, *self._joining(change.incident)]

    def _promote(self, incident_id: str) -> None:
        def decide(incident: Incident) -> Decision:
            if not incident.is_open:
                raise Ended
            if incident.mode is Mode.LIVE:
                return None
            return promoted(incident, self.signal, at=self.now), [self._live]

        if not self._amended(incident_id, decide):
            self.table.write(self._live)

    def _amended(self, incident_id: str, decide: Callable[[Incident], Decision]) -> bool:
        """Whether `decide` changed anything in the end."""
        changed = False

        def watched(incident: Incident) -> Decision:
            nonlocal changed
            decision = decide(incident)
            changed = decision is not None
            return decision

        self._amend(incident_id, watched)
        return changed

    def _recovering(self, incident: Incident) -> Decision:
        if not incident.is_open:
            raise Ended
        firing = max(0, incident.firing - 1)
        resolves = self.routing.recovery.action(incident.severity) == "resolve"
        watching = not firing and (resolves or incident.status is not Status.MITIGATED)
        left = f", {firing} still firing" if firing else ""
        change = self._recorded(
            incident,
            "SignalRecovered",
            sentence(f"{self.signal.title} is ok{left}", self.signal),
            firing=firing,
            ok_since=self.now if watching else None,
        )
        told = {"state": SignalState.OK.value, "changed_at": self.run.changed_at}
        member = Update(member_key(incident.id, self.run.dedup_key), told)
        return change, [member, self._pointing(state=SignalState.OK, open=True)]

    def _noting(self, incident: Incident) -> Decision:
        if not incident.is_open:
            raise Ended
        change = self._recorded(incident, "SignalNoted", sentence(f"{self.signal.title}: no verdict", self.signal))
        return change, [self._pointing(noted_at=iso(self.now))]

    # --- pieces

    @property
    def _key(self) -> Key:
        return pointer_key(self.run.dedup_key)

    @property
    def _unchanged(self) -> Condition:
        return ABSENT if self.stored is None else {name: self.stored.get(name) for name in _GUARDED}

    @property
    def _uncounted(self) -> Condition:
        """Unchanged, counters too: who writes a fence's pointer whole takes them over."""
        stored = self.stored
        return ABSENT if stored is None else {name: stored.get(name) for name in (*_GUARDED, "count", "stale")}

    @property
    def _live(self) -> Write:
        return Update(self._key, {"mode": Mode.LIVE.value}, when=self._unchanged)

    def _is_member(self, incident: Incident) -> bool:
        return self.pointer is not None and self.pointer.incident_id == incident.id

    def _counts(self, incident: Incident, firing: int) -> dict[str, Any]:
        """Members and firing ones once this signal fires in `incident`, where `firing` do already."""
        member = self._is_member(incident)
        counted = member and self.pointer is not None and self.pointer.state is SignalState.FIRING
        members = incident.members + (not member)
        return {"members": members, "firing": min(members, firing + (not counted))}

    def _recorded(self, incident: Incident, type: str, text: str, **updates: Any) -> Change:
        return recorded(
            incident,
            type,
            actor=actor_of(self.signal),
            at=self.now,
            text=text,
            data={
                "dedup_key": self.signal.dedup_key,
                "title": self.signal.title,
                "state": self.signal.state.value,
                "changed_at": self.run.changed_at,
            },
            **updates,
        )

    def _promoted(self, change: Change) -> Change:
        """With the promotion on top, where a live signal meets an incident that was only watched."""
        if self.signal.mode is not Mode.LIVE or change.incident.mode is Mode.LIVE:
            return change
        more = promoted(change.incident, self.signal, at=self.now)
        return Change(more.incident, change.entries + more.entries, change.expected_seq)

    def _joining(self, incident: Incident) -> list[Write]:
        """The member record and the pointer of a signal that fires in `incident`."""
        first_seen = str((self.stored or {}).get("first_seen_at") or iso(self.now))
        member = Record(member_key(incident.id, self.run.dedup_key), member_body(self.signal, first_seen_at=first_seen))
        if self.pointer is None or self.pointer.incident_id is None:
            body = self._whole_pointer(incident.id, incident.mode)
            pointer: Write = Put(Record(self._key, body), when=self._uncounted)
        else:
            pointer = self._pointing(
                incident_id=incident.id, open=True, state=SignalState.FIRING, mode=incident.mode.value
            )
        return [Put(member), pointer]

    def _pointing(self, **sets: Any) -> Write:
        """The stored pointer, moved to this state change (a note moves no fence)."""
        if self.run.state is not SignalState.NOTE:
            sets["fence"] = self.run.changed_at
        told = {name: value.value if isinstance(value, SignalState) else value for name, value in sets.items()}
        return Update(
            self._key, {**told, "last_seen_at": iso(self.now)}, when=self._unchanged, adds={"count": self.run.count}
        )

    def _whole_pointer(self, incident_id: str | None, mode: Mode) -> dict[str, Any]:
        counted = self.stored or {}
        return pointer_body(
            self.signal,
            incident_id=incident_id,
            mode=mode,
            fence=self.run.changed_at,
            count=self.run.count + int(counted.get("count", 0)),
            stale=int(counted.get("stale", 0)),
            at=self.now,
        )
