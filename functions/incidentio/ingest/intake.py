"""From runs of signals to what is stored: usually one counted write each, and no read at all."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from incidentio.core.catalog import Catalog
from incidentio.core.errors import Unavailable
from incidentio.core.ids import iso, new_incident_id
from incidentio.core.ports import AtMost, Clock, Refused, Table
from incidentio.core.signal import Mode, SignalState
from incidentio.ingest.case import Case, blamed
from incidentio.ingest.decide import Step
from incidentio.ingest.observation import Acknowledgement, Observation
from incidentio.ingest.outcome import Outcome
from incidentio.ingest.rounds import Rounds
from incidentio.ingest.run import Run

if TYPE_CHECKING:
    from incidentio.core.changes import ChangeRecord
    from incidentio.ingest.acknowledge import Acknowledged

_ROUNDS = 12
_READ_AT_ONCE = 100


class Intake:
    """One deployment's way from signals to incidents."""

    def __init__(
        self, table: Table, catalog: Catalog, clock: Clock, new_id: Callable[[], str] = new_incident_id
    ) -> None:
        self._table = table
        self._catalog = catalog
        self._clock = clock
        self._rounds = Rounds(table, catalog.routing, new_id)

    def take(self, runs: Sequence[Run]) -> list[Outcome | Exception]:
        """Account for every message of each run, in order; what prevents one is its result and holds up no other.

        Each run is of another dedup key. They are taken in rounds: what somebody else changed meanwhile, and what
        another one of them has just opened, is looked at again in the next.
        """
        now = self._clock()
        cases = self._looked_up(runs, now)
        for _ in range(_ROUNDS):
            pending = [case for case in cases if case.result is None]
            if not pending:
                break
            self._rounds.one(pending, now)
        contended = Unavailable("this signal's record is being changed by many at once")
        return [case.result or contended for case in cases]

    def keep(self, change: "ChangeRecord") -> None:
        """Write a change of the estate down, which is no incident.

        Raises:
            Unavailable: try again later.
        """
        from incidentio.core.changes import change_writes  # noqa: PLC0415 - alarms do not need it

        self._table.write(*change_writes(change, self._catalog.services))

    def released(self, incident_id: str) -> "tuple[list[Observation], bool]":
        """See `released`."""
        from incidentio.ingest.released import released  # noqa: PLC0415 - as above

        return released(self._table, incident_id)

    def acknowledge(self, given: Acknowledgement) -> "tuple[Acknowledged, str | None]":
        """See `acknowledged`."""
        from incidentio.ingest.acknowledge import acknowledged  # noqa: PLC0415 - as above

        return acknowledged(self._table, given, self._clock)

    def _looked_up(self, runs: Sequence[Run], now: datetime) -> list[Case]:
        """Repetitions are counted at once; of the others it is known what is stored."""
        cases = [Case(run, self._catalog, now, None) for run in runs]
        others = [case for case in cases if case.run.state is not SignalState.FIRING]
        for start in range(0, len(others), _READ_AT_ONCE):
            some = others[start : start + _READ_AT_ONCE]
            with blamed(*some):
                stored = self._table.get_many([case.key for case in some])
                for case in some:
                    case.see(stored.get(case.key))
        for case in cases:
            if case.run.state is SignalState.FIRING:
                with blamed(case):
                    self._repeated(case)
        return cases

    def _repeated(self, case: Case) -> None:
        """The fast path: a member that fires already is counted in one plain update, without a read."""
        run = case.run
        when = {"open": True, "state": SignalState.FIRING.value, "fence": AtMost(run.changed_at)}
        if run.mode is Mode.LIVE:
            when["mode"] = Mode.LIVE.value
        if run.began_at < run.changed_at:  # else some of them began before all that is known
            when["began_at"] = AtMost(run.began_at)
        if severity := run.severity:  # "SEV1" sorts first: it was told at least so bad before
            when["severity"] = AtMost(severity.value)
        try:
            after = self._table.add(
                case.key,
                {"count": run.count},
                sets={"last_seen_at": iso(case.now), "fence": run.changed_at},
                when=when,
            )
        except Refused as refused:
            case.see(refused.current)
        else:
            case.done(Step.DUPLICATE, after.get("incident_id"))
