"""From a run of signals to what is stored: usually one counted write and no read at all."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from incidentio.core.errors import Unavailable
from incidentio.core.ids import iso, new_incident_id
from incidentio.core.members import pointer_key
from incidentio.core.ports import AtMost, Clock, Refused, Table
from incidentio.core.routing import Routing
from incidentio.core.signal import Mode, SignalState
from incidentio.ingest.attempt import Attempt
from incidentio.ingest.decide import NOTE_EVERY, Pointer, Step, decide
from incidentio.ingest.outcome import Ended, Outcome
from incidentio.ingest.run import Run

if TYPE_CHECKING:
    from incidentio.core.changes import ChangeRecord

_ATTEMPTS = 10


class Intake:
    """One deployment's way from signal to incident."""

    def __init__(
        self, table: Table, routing: Routing, clock: Clock, new_id: Callable[[], str] = new_incident_id
    ) -> None:
        self._table = table
        self._routing = routing
        self._clock = clock
        self._new_id = new_id

    def take(self, run: Run) -> Outcome:
        """Account for every message of the run.

        Raises:
            Unavailable: try again later.
        """
        now = self._clock()
        if run.state is not SignalState.FIRING:
            return self._decided(run, now, self._table.get(pointer_key(run.dedup_key)))
        try:
            return self._repeated(run, now)
        except Refused as refused:
            return self._decided(run, now, refused.current)

    def keep(self, change: "ChangeRecord") -> None:
        """Write a change of the estate down, which is no incident.

        Raises:
            Unavailable: try again later.
        """
        from incidentio.core.changes import change_write  # noqa: PLC0415 - alarms do not need it

        self._table.write(change_write(change))

    def _repeated(self, run: Run, now: datetime) -> Outcome:
        """The fast path: a member that fires already is counted in one plain update, without a read.

        Raises: Refused: it is no repetition.
        """
        when = {"open": True, "state": SignalState.FIRING.value, "fence": AtMost(run.changed_at)}
        if run.mode is Mode.LIVE:
            when["mode"] = Mode.LIVE.value
        after = self._table.add(
            pointer_key(run.dedup_key),
            {"count": run.count},
            sets={"last_seen_at": iso(now), "fence": run.changed_at},
            when=when,
        )
        return Outcome(Step.DUPLICATE, after.get("incident_id"))

    def _decided(self, run: Run, now: datetime, stored: Mapping[str, Any] | None) -> Outcome:
        signal = run.signal(now)
        ended, promoted = False, None
        for _ in range(_ATTEMPTS):
            pointer = Pointer.of(stored)
            if pointer and ended:
                pointer = replace(pointer, open=False, ended=True)
            step = decide(
                pointer,
                state=run.state,
                changed_at=run.changed_at,
                mode=run.mode,
                noted_before=iso(now - NOTE_EVERY),
            )
            attempt = Attempt(self._table, self._routing, self._new_id, now, run, signal, stored, pointer)
            try:
                outcome = attempt.carry_out(step)
            except Refused as refused:
                key, ended = pointer_key(run.dedup_key), False
                stored = refused.current if refused.key == key else self._table.get(key)
            except Ended:
                ended = True
            else:
                if step is not Step.PROMOTE:
                    return promoted or outcome
                promoted = outcome
                stored = self._table.get(pointer_key(run.dedup_key))
        raise Unavailable("this signal's record is being changed by many at once")
