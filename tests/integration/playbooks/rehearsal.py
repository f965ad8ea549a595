"""A playbook on a real estate: its compiled machine, real control operations and actions, AWS as the emulator tells it.

Only the table, time and the engine are ours (tests/unit/mitigate). Whoever acts has the rights the playbook declares.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from incidentio.core.incident import Status
from incidentio.core.playbook import Playbook
from incidentio.core.signal import Subject
from incidentio.mitigate.actions import Place, Statement, permissions_for
from incidentio.mitigate.run import DONE, Run
from infra.cases.estate import Aws, Estate
from infra.cases.estates import estate_of
from infra.cases.model import Case, State
from tests.integration.caller import caller, clients
from tests.integration.playbooks.held import Held
from tests.integration.stand_in import stood_in
from tests.make import BOB
from tests.unit.mitigate.stage import CAROL, Stage


class Rehearsal:
    """One case: `stage` is the lane, `estate` what it acts on. `rights` replaces what the playbook declares."""

    def __init__(
        self, target: Mapping[str, Any], playbook: Playbook, case: Case, *, rights: Sequence[Statement] | None = None
    ) -> None:
        self.playbook, self.case = playbook, case
        self.place = Place(partition="aws", account=target["account"], region=target["region"])
        aws = Aws(clients(dict(target)), uuid.uuid4().hex[:8], target["account"], target["region"])
        self.estate: Estate = estate_of(playbook)(aws, case.given, case.tags)
        if rights is None:
            rights = declared(playbook, self.place)
        self.call = Held(stood_in(caller(dict(target), rights, bounded=True), self.estate), rights)
        self.stage = Stage(
            playbook,
            call=self.call,
            place=self.place,
            subject=Subject(account=self.place.account, region=self.place.region, dimensions=self.estate.dimensions),
        )
        self.stage.people = self._approve
        if playbook.verify:
            self.stage.waits = self._time_passes
        else:
            self.stage.at["Settle"] = self._acted
        self.watched = 0

    def play(self) -> Run:
        """Ask for the run, and let everything happen that follows from it."""
        asked = self.ask()
        self.stage.play()
        return self.stage.run(asked)

    def ask(self) -> Run:
        when = self.case.when
        self._asked = self.stage.request(
            self.playbook.name,
            parameters=self.estate.parameters_for(self.playbook.parameters) | when.parameters,
            target=None if self.estate.dimensions else self.estate.target,
            dry_run=when.dry_run,
        )
        return self._asked

    def resolve(self) -> None:
        self.stage.change(status=Status.RESOLVED)
        self.stage.sweep()
        self.stage.play()

    def now(self, asked: State) -> State:
        return {name: self.estate.now(name) for name in asked}

    def state(self) -> State:
        """All that the case speaks of, as AWS shows it now."""
        case = self.case
        return self.now({**case.given, **(case.expect.applied or {}), **case.expect.finally_})

    def _approve(self) -> None:
        if self.stage.approval().get("kind") == "manual":
            self.stage.decide(BOB)
            return
        for person in (BOB, CAROL)[: self.playbook.risk.approvals]:
            self.stage.decide(person)

    def _time_passes(self, _seconds: int) -> None:
        """The first wait after all steps: AWS shows what was set, somebody may interfere, the alarm may recover."""
        if self.watched or any(step.status not in DONE for step in self.stage.run(self._asked).steps):
            return
        self._acted()

    def _acted(self) -> None:
        self.watched += 1
        expected = self.case.expect.applied or {}
        shown = self.now(expected)
        assert shown == expected, f"expect.applied is {expected}, and AWS shows {shown}"
        for name, value in (self.case.when.meanwhile or {}).items():
            self.estate.set(name, value)
        if self.case.when.alarm == "recovers":
            self.stage.recovered()


@contextmanager
def rehearsed(*args: Any, **more: Any) -> Iterator[Rehearsal]:
    rehearsal = Rehearsal(*args, **more)
    try:
        yield rehearsal
    finally:
        rehearsal.estate.leave()


def declared(playbook: Playbook, place: Place) -> list[Statement]:
    return permissions_for(playbook, partition=place.partition, account=place.account, region=place.region)
