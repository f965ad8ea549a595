"""The whole mitigate lane on fakes: table, estate, Step Functions, kill switch, alarms, clock."""

from collections.abc import Callable, Mapping
from typing import Any

from incidentio.core.amend import amend
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from incidentio.core.errors import Unavailable
from incidentio.core.events import event_of
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM, Actor
from incidentio.core.playbook import Playbook
from incidentio.core.ports import Key, Put, Record
from incidentio.core.signal import Subject
from incidentio.mitigate.actions.action import Call, Place
from incidentio.mitigate.actions.request import answer as act
from incidentio.mitigate.actions.request import parse_request as parse_action
from incidentio.mitigate.approvals import decide_approval
from incidentio.mitigate.conduct.conductor import ON_EVENT, conduct
from incidentio.mitigate.conduct.score import Score
from incidentio.mitigate.control.desk import Desk, parse_request
from incidentio.mitigate.control.operations import operate
from incidentio.mitigate.keys import lock_key
from incidentio.mitigate.requests import request_run
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import load_run
from incidentio.mitigate.track_record import REHEARSED
from infra.compiler import compile_playbook
from tests.fakes import FakeClock, FakeTable
from tests.make import ALICE, BOB, opened
from tests.unit.mitigate.executions import FakeExecutions
from tests.unit.mitigate.interpreter import Interpreter, Killed, TaskError
from tests.unit.mitigate_actions.estate import PLACE, Estate

CAROL = Actor(id="111122223333:user/carol", kind="person")
PREFIX = f"arn:aws:states:{PLACE.region}:{PLACE.account}:stateMachine:test-"
TARGET = f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout"

THROTTLE: dict[str, Any] = {
    "name": "throttle-function",
    "version": "1.0.0",
    "owner": "platform",
    "risk": "disruptive",
    "parameters": {"limit": {"type": "integer", "minimum": 1, "default": 10}},
    "targets": {"type": "AWS::Lambda::Function"},
    "approval": {"timeout": "10m"},
    "steps": [{"action": "set-reserved-concurrency", "with": {"value": "${limit}"}}],
    "verify": {"within": "1m", "poll": "15s"},
    "revert": {"at_latest": "4h"},
}
TWO_STEPS: dict[str, Any] = {
    "name": "two-steps",
    "steps": [
        {"action": "disable-rule", "with": {"rule": "loop"}},
        {"action": "set-reserved-concurrency", "with": {"value": 0}},
    ],
}


class Stage:
    """One open incident about function `checkout`, one signal firing, and the playbooks given.

    Hooks: `people` is called when a machine waits for an approval; `at[state]` before a state, each once;
    `waits` at each Wait with the seconds; `asked` before each answer of `control` or `action`, with the question.
    Domain events reach the conductor by `deliver`.
    `call` is what actions act on, in `place`: an estate in memory, unless another is given.
    """

    def __init__(
        self,
        *playbooks: dict[str, Any] | Playbook,
        catalog: dict[str, Any] | None = None,
        call: Call | None = None,
        place: Place = PLACE,
        **incident: Any,
    ) -> None:
        books = [
            book if isinstance(book, Playbook) else Playbook.model_validate({**THROTTLE, **book})
            for book in (playbooks or ({},))
        ]
        self.bundle = Bundle(
            catalog=Catalog.model_validate(catalog or {}), playbooks={book.name: book for book in books}
        )
        self.machines_of = dict(self.bundle.playbooks)
        self.table, self.clock, self.estate = FakeTable(), FakeClock(), Estate()
        self.call, self.place = call or self.estate, place
        self.parameter: str | Exception = "off"
        self.alarm_states: dict[str, str] = {}
        self.executions = FakeExecutions(self.interpreter, self.tell_execution)
        self.at: dict[str, Callable[[], Any]] = {}
        self.waits: Callable[[int], Any] = lambda _seconds: None
        self.asked: Callable[[str, Mapping[str, Any]], Any] = lambda _arn, _payload: None
        self.people: Callable[[], Any] = lambda: None
        self.delivered: dict[str, int] = {}
        subject = Subject(account=place.account, region=place.region, dimensions={"FunctionName": "checkout"})
        fields = {"subject": subject, "members": 1, "firing": 1, "service": "checkout", **incident}
        self.table.commit(opened(**fields))
        for service, entry in self.bundle.catalog.services.items():
            for name in entry.automation.auto:
                self.was_rehearsed(self.bundle.playbooks[name], service)
        self.desk = Desk(self.table, self.bundle, self, self, self.clock)
        self.score = Score(self.table, self.bundle, self.executions, self.clock, place.account, place.region)

    # The ports KillSwitch and Alarms.

    def value(self) -> str:
        if isinstance(self.parameter, Exception):
            raise self.parameter
        return self.parameter

    def state(self, name: str) -> str | None:
        return self.alarm_states.get(name)

    # What tests do.

    @property
    def incident(self) -> Incident:
        return self.table.incident("INC-7K3F9A")

    @property
    def types(self) -> list[str]:
        return self.table.types(self.incident.id)

    def text(self, type: str) -> str:
        return next(e.text for e in reversed(self.table.entries[self.incident.id]) if e.type == type)

    def data(self, type: str) -> dict[str, Any]:
        return next(e.data for e in reversed(self.table.entries[self.incident.id]) if e.type == type)

    @property
    def lock(self) -> Mapping[str, Any] | None:
        return self.table.records.get(lock_key(TARGET))

    def change(self, **fields: Any) -> None:
        """The incident changes under the run: `firing=0`, `status=…`, `hands_off=True`."""

        def decide(incident: Incident) -> Change:
            return recorded(incident, "IncidentUpdated", actor=SYSTEM, at=self.clock(), text="changed", **fields)

        amend(self.table, self.incident.id, decide)

    def was_rehearsed(self, book: Playbook, service: str = "checkout", **other: Any) -> None:
        """Just now, unless `other` says otherwise: so playbooks may start by themselves."""
        body = {
            "playbook": book.name,
            "service": service,
            "target": "checkout",
            "target_type": book.targets.type,
            "definition_hash": book.definition_hash,
            "version": book.version,
            "run_id": "RUN-000000-00000000",
            "at": iso(self.clock()),
            **other,
        }
        self.table.write(Put(Record(Key(REHEARSED, f"{book.name}#{service}"), body)))

    def recovered(self) -> None:
        self.change(firing=0)

    def request(self, playbook: str = "throttle-function", **arguments: Any) -> Run:
        return request_run(
            self.table,
            self.bundle,
            self.incident.id,
            playbook,
            **{
                "actor": ALICE,
                "now": self.clock(),
                "account": self.place.account,
                "region": self.place.region,
                **arguments,
            },
        )

    def run(self, run: Run | str) -> Run:
        return load_run(self.table, self.incident.id, run if isinstance(run, str) else run.run_id)

    def approval(self) -> dict[str, Any]:
        found = [b for k, b in self.table.records.items() if k.sk.startswith("APPROVAL#")]
        return found[-1]

    def decide(self, actor: Actor = BOB, decision: str = "approve", reason: str = "") -> dict[str, Any]:
        return decide_approval(
            self.table,
            self.approval()["id"],
            actor=actor,
            decision=decision,
            reason=reason,
            now=self.clock(),
            bundle=self.bundle,
        )

    def deliver(self, *, twice: bool = False, incident: str = "INC-7K3F9A") -> None:
        """Every timeline entry not delivered yet, to the conductor, as the bus would."""
        entries = self.table.entries[incident]
        while (n := self.delivered.get(incident, 0)) < len(entries):
            entry = entries[n]
            self.delivered[incident] = n + 1
            if entry.type in ON_EVENT:
                event = {"detail": event_of(entry).model_dump(mode="json")}
                for _ in range(2 if twice else 1):
                    conduct(self.score, event, machines=PREFIX)

    def play(self, *, twice: bool = False, incident: str = "INC-7K3F9A") -> None:
        """Deliver and run until nothing moves any more."""
        while True:
            self.deliver(twice=twice, incident=incident)
            if not self.executions.queue:
                return
            self.executions.work()

    def sweep(self) -> None:
        conduct(self.score, {"sweep": "mitigate"}, machines=PREFIX)

    def tell_execution(self, name: str) -> None:
        detail = {"name": name, "status": self.executions.statuses[name], "stateMachineArn": PREFIX + "any"}
        conduct(self.score, {"source": "aws.states", "detail": detail}, machines=PREFIX)

    # The machinery.

    def interpreter(self, playbook: str) -> Interpreter:
        machine = compile_playbook(self.machines_of[playbook], control_arn="control", action_arn="action")
        return Interpreter(
            machine, invoke=self._invoke, wait=self._wait, people=self._wait_for_people, before=self._hook
        )

    def _invoke(self, arn: str, payload: dict[str, Any]) -> Any:
        self.asked(arn, payload)
        try:
            if arn == "action":
                return act(parse_action(payload), call=self.call, place=self.place)
            return operate(self.desk, parse_request(payload))
        except Unavailable as error:
            raise TaskError("Unavailable", error.message) from error
        except Exception as error:
            raise TaskError(type(error).__name__, str(error)) from error

    def _wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)
        self.waits(seconds)

    def _wait_for_people(self, payload: dict[str, Any], timeout: int) -> Any:
        self.people()
        self.deliver()
        if payload["token"] not in self.executions.answered:
            self.clock.advance(seconds=timeout)
            raise TaskError("States.Timeout")
        return {}

    def _hook(self, state: str) -> None:
        if state in self.at:
            self.at.pop(state)()


def killed() -> None:
    raise Killed


def approved(*playbooks: Mapping[str, Any], **incident: Any) -> Stage:
    """A stage where Bob approves at once and the signal recovers at the first wait."""
    stage = Stage(*playbooks, **incident)
    stage.people = stage.decide
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    return stage
