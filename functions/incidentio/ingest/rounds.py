"""One round of a delivery: each signal's step is decided, and what concerns one incident is one commit.

A commit is guarded by the pointers it was decided on. Where somebody was faster, the signals concerned stay
without a result, and the next round decides again on what is stored then.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from incidentio.core.amend import Decision, amend
from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.grouping import group_write
from incidentio.core.incident import Change, Incident
from incidentio.core.members import MAX_WRITES
from incidentio.core.ports import Key, Refused, Stale, Table, Write
from incidentio.core.routing import Routing
from incidentio.core.signal import Mode
from incidentio.core.storm import child_write
from incidentio.ingest.case import Case, blamed
from incidentio.ingest.decide import AfterEnd, Step, after_end
from incidentio.ingest.opening import opened, would_have
from incidentio.ingest.outcome import Ended, Unfit
from incidentio.ingest.placing import Opening, Place, group_place, inhibited_by, not_inhibited_first, places
from incidentio.ingest.returning import left, reopened
from incidentio.ingest.storming import Storms
from incidentio.ingest.together import Part, together

_ID_ATTEMPTS = 5
_MERGES_FOLLOWED = 5
_WRITES = 4
"""Of one signal at most: its member, its pointer, where it was kept, and an entry of its own."""
_AMEND_ATTEMPTS = 60
"""In a storm into one incident twenty workers change it at once. Giving up costs half a minute, a further try a quarter
of a second."""
Parts = dict[str, list[Part]]


class Rounds:
    """One deployment's way of carrying steps out."""

    def __init__(self, table: Table, routing: Routing, new_id: Callable[[], str]) -> None:
        self._table = table
        self._routing = routing
        self._new_id = new_id
        self._storms = Storms(table, routing.storm, new_id)
        self._together = MAX_WRITES // (_WRITES + len(routing.inhibit_rules)) or 1

    def one(self, pending: Sequence[Case], now: datetime) -> None:
        """Every case gets a result, or waits for the next round."""
        parts: Parts = defaultdict(list)
        arriving: list[Case] = []
        for case in pending:
            with blamed(case):
                self._step(case, parts, arriving)
        louder = (Step.WORSENED, Step.PROMOTE)
        firing = [part.case for some in parts.values() for part in some if part.fires or part.step in louder]
        if arriving and (ready := not_inhibited_first(arriving, firing)):
            with blamed(*ready):
                self._place(ready, parts, now)
        for incident_id, some in sorted(parts.items(), key=lambda item: len(item[1])):  # a storm's comes last: it waits
            for start in range(0, len(some), self._together):
                chunk = some[start : start + self._together]
                with blamed(*(part.case for part in chunk)):
                    self._amend(incident_id, chunk, now)

    def _step(self, case: Case, parts: Parts, arriving: list[Case]) -> None:
        step = case.step()
        incident_id = case.pointer.incident_id if case.pointer else None
        try:
            match step:
                case Step.OPEN:
                    arriving.append(case)
                case Step.RETURNED:
                    self._return(case, parts, arriving)
                case Step.REMEMBER:
                    self._table.write(case.remembered())
                    case.done(step, incident_id)
                case Step.FIRE_AGAIN | Step.WORSENED | Step.PROMOTE | Step.RECOVER | Step.NOTE if incident_id:
                    parts[incident_id].append(Part(case, step, threshold=case.threshold))
                case _:
                    case.count(self._table, step)
                    case.done(step, incident_id)
        except Refused as refused:
            self._see([case], refused)

    # --- signals of no open incident

    def _place(self, arriving: Sequence[Case], parts: Parts, now: datetime) -> None:
        opened_groups: set[Key] = set()
        for case, place in self._storms.placed(places(arriving, self._table), now):
            if isinstance(place, Place):
                part = Part(case, Step.JOINED, why=place.why, rule=place.rule, threshold=place.threshold)
                parts[place.incident_id].append(part)
                continue
            groups = {each.group.key for each in (place, place.own) if each and each.group}
            if not groups & opened_groups:  # else the next round finds the group open
                opened_groups |= groups
                with blamed(case):
                    self._open(case, place)

    def _open(self, case: Case, opening: Opening) -> None:
        for _ in range(_ID_ATTEMPTS):
            change = opened(
                self._new_id(),
                case.signal,
                at=case.now,
                correlation_id=case.run.correlation_id,
                previous_incident_id=case.previous,
                parent=opening.parent,
                threshold=case.threshold,
            )
            if case.would and (more := would_have(change.incident, case.would, case.signal, at=case.now)):
                change = Change(more.incident, change.entries + more.entries, change.expected_seq)
            try:
                self._table.commit(change, *case.joining(change.incident), *_named(change.incident, opening, case.now))
            except Stale:  # somebody has that id
                continue
            except Refused as refused:
                self._see([case], refused)
                return
            case.done(Step.OPEN, change.incident.id)
            return
        raise Unavailable("no free incident id in several tries")

    def _return(self, case: Case, parts: Parts, arriving: list[Case]) -> None:
        """The pointer's incident ended; or a merge moved on; or it only looked closed."""
        pointer = case.pointer
        incident_id = pointer.incident_id if pointer else None
        for _ in range(_MERGES_FOLLOWED):
            try:
                incident = self._table.incident(incident_id or "")
            except NotFound:
                break
            inhibited = pointer is not None and pointer.inhibited  # there already, so it has to leave first
            if (incident.id in case.moved and not inhibited) or (pointer and pointer.has_left):
                break
            match after_end(incident, now=case.now, window=self._routing.reopen_window):
                case AfterEnd.REJOIN if inhibited:
                    self._look_at_inhibited(case, incident, parts)
                    return
                case AfterEnd.REOPEN if inhibited:
                    case.previous = incident.id  # that one is over for others: this one nobody was told of
                    break
                case AfterEnd.REJOIN:
                    parts[incident.id].append(Part(case, Step.FIRE_AGAIN, threshold=case.threshold))
                    return
                case AfterEnd.REOPEN:
                    self._reopen(case, incident, parts)
                    return
                case AfterEnd.FOLLOW:
                    incident_id = incident.merged_into
                case AfterEnd.NEW:
                    case.previous = incident.id
                    break
        arriving.append(case)

    def _reopen(self, case: Case, incident: Incident, parts: Parts) -> None:
        """Unless its group has an open incident by now: then it belongs there."""
        record = self._table.get(case.group.key) if case.group else None
        elsewhere = group_place(case, record)
        if elsewhere and elsewhere.incident_id != incident.id:
            parts[elsewhere.incident_id].append(
                Part(case, Step.JOINED, why=elsewhere.why, threshold=elsewhere.threshold)
            )
            return
        if self._changed(case, incident, lambda current: reopened(self._table, current, case, self._storms.one_more)):
            case.done(Step.RETURNED, incident.id)

    def _look_at_inhibited(self, case: Case, incident: Incident, parts: Parts) -> None:
        """A member only because something else fires: if that is still so, it stays, else it leaves."""
        place = inhibited_by(case, self._table)
        audible = case.run.mode is Mode.LIVE and incident.mode is Mode.MONITOR
        if place is None or place.incident_id != incident.id or audible:
            if self._changed(case, incident, lambda current: left(current, case)):
                case.see(self._table.get(case.key))
        elif case.is_held_by(place.rule):
            case.count(self._table, Step.DUPLICATE)
            case.done(Step.DUPLICATE, incident.id)
        else:
            parts[incident.id].append(Part(case, Step.FIRE_AGAIN, rule=place.rule))

    # --- changes of an incident

    def _changed(self, case: Case, incident: Incident, decide: Callable[[Incident], Decision]) -> bool:
        try:
            amend(self._table, incident.id, decide, attempts=_AMEND_ATTEMPTS)
        except Ended:
            case.ended = True
        except Refused as refused:
            self._see([case], refused)
        else:
            return True
        return False

    def _amend(self, incident_id: str, parts: Sequence[Part], now: datetime) -> None:
        only_pointers: list[Write] = []

        def decide(incident: Incident) -> Decision:
            done = together(incident, parts, routing=self._routing, at=now, storm=self._storms.one_more)
            only_pointers[:] = [] if done.change else done.writes
            return (done.change, done.writes) if done.change else None

        try:
            amend(self._table, incident_id, decide, attempts=_AMEND_ATTEMPTS)
            if only_pointers:
                self._table.write(*only_pointers)
        except Refused as refused:
            self._see([part.case for part in parts], refused)
        except (Ended, NotFound) as ended:
            _ended(incident_id, parts, ended)
        except Unfit as unfit:
            for case in unfit.cases:
                case.moved[incident_id] = ""
        else:
            for part in parts:
                self._done(part, incident_id)

    def _done(self, part: Part, incident_id: str) -> None:
        if part.rule and not self._is_still_inhibited(part.case):
            return  # it recovered while this one joined: the next round takes it out again
        part.case.done(part.step, incident_id)
        if part.step is Step.PROMOTE:  # its messages are not counted yet
            part.case.go_on(self._table.get(part.case.key))

    def _is_still_inhibited(self, case: Case) -> bool:
        """What recovers from now on finds it there, and lets it go when the time has come."""
        case.see(self._table.get(case.key))
        return inhibited_by(case, self._table) is not None

    def _see(self, cases: Sequence[Case], refused: Refused) -> None:
        """Somebody was faster: with the pointer of one of them, or with a record that all of them read."""
        concerned = [case for case in cases if case.key == refused.key]
        for case in concerned:
            case.see(refused.current)
        if not concerned and len(cases) == 1:
            cases[0].see(self._table.get(cases[0].key))


def _ended(incident_id: str, parts: Sequence[Part], ended: Ended | NotFound) -> None:
    """For a member its incident is over; what was to join goes elsewhere, perhaps to where it was merged."""
    for part in parts:
        if part.step is Step.JOINED:
            part.case.moved[incident_id] = ended.merged_into if isinstance(ended, Ended) else ""
        else:
            part.case.ended = True


def _named(incident: Incident, opening: Opening, now: datetime) -> list[Write]:
    """Records by which the next ones find the incident: as that of its group, and as a child of its storm."""
    writes: list[Write] = [
        group_write(each.group.key, incident.id, until=now + each.group.grouping.window, stored=each.stored)
        for each in (opening, opening.own)
        if each and each.group
    ]
    if opening.parent:
        writes.append(child_write(opening.parent, incident.id))
    return writes
