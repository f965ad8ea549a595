"""What one run of a playbook asks of AWS, and what the envelope adds to the bare action.

`throttle-function` on a bare emulator, approved by one person, with the real control operations on a real table. Its
machine is walked here (tests/unit/mitigate/interpreter.py), so the time is that of the functions alone: the engine's
own latency and cold starts are not in it.
"""

import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from incidentio.aws.kill_switch import ParameterKillSwitch
from incidentio.aws.table import DynamoTable
from incidentio.core.amend import amend
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from incidentio.core.ids import new_incident_id
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.routing import Routing
from incidentio.core.signal import Subject
from incidentio.mitigate.actions import Place
from incidentio.mitigate.actions.request import answer as act
from incidentio.mitigate.actions.request import parse_request as parse_action
from incidentio.mitigate.approvals import decide_approval
from incidentio.mitigate.control.desk import Desk, parse_request
from incidentio.mitigate.control.operations import operate
from incidentio.mitigate.requests import request_run
from infra.cases.estate import Aws
from infra.cases.estates.function import Function
from infra.cases.model import ROOT
from infra.compiler import compile_playbook
from infra.documents import load_playbook_folder
from infra.local import emulator
from infra.local.environment import ACCOUNT, REGION, local_client
from infra.local.state import TargetState
from tests.load.counting import Count, counted
from tests.load.rows import Row, row
from tests.make import ALICE, BOB, opened
from tests.unit.mitigate.interpreter import Interpreter

_RUNS = 7
_TABLE, _SWITCH = "incidentio", "/incidentio/kill-switch"
_PLAYBOOK = "throttle-function"


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="incidentio-bench-") as folder:
        state = TargetState(Path(folder), emulator.free_port())
        emulator.start(state)
        try:
            runs = [_OneRun(partial(local_client, port=state.port)) for _ in range(_RUNS)]
            for each in runs:
                each.play()
        finally:
            state.emulator.stop()
    yield row("state_transitions_per_run", runs[-1].transitions)
    yield row("aws_calls_per_run", runs[-1].calls)
    yield row("action_ms_per_run", statistics.median(each.acting for each in runs[1:]) * 1000)
    yield row("envelope_overhead_ms", statistics.median(each.whole - each.acting for each in runs[1:]) * 1000)


class _OneRun:
    """A request, approved, that succeeds. Afterwards: `transitions`, `calls`, and seconds `whole` and `acting`."""

    def __init__(self, client: Any) -> None:
        self._dynamodb, self._ssm, self._lambda = (client(name) for name in ("dynamodb", "ssm", "lambda"))
        _make(self._dynamodb, self._ssm)
        self._table = DynamoTable(self._dynamodb, _TABLE, Routing())
        # Another secret is another client, whose calls are not counted: the emulator looks at the key alone.
        self._people = DynamoTable(client("dynamodb", secret_access_key="people"), _TABLE, Routing())
        self._estate = Function(Aws(client, uuid.uuid4().hex[:8], ACCOUNT, REGION), {}, {})
        self._playbook = load_playbook_folder(ROOT / "playbooks" / _PLAYBOOK)
        self._bundle = Bundle(catalog=Catalog(), playbooks={_PLAYBOOK: self._playbook})
        self._place = Place(partition="aws", account=ACCOUNT, region=REGION)
        self.transitions = self.calls = 0
        self.whole = self.acting = 0.0

    def play(self) -> None:
        incident_id, run_id = self._asked()
        desk = Desk(self._table, self._bundle, ParameterKillSwitch(lambda: self._ssm, _SWITCH), _NoAlarms(), _now)
        machine = Interpreter(
            compile_playbook(self._playbook, control_arn="control", action_arn="action"),
            invoke=lambda arn, payload: (
                self._act(payload) if arn == "action" else operate(desk, parse_request(payload))
            ),
            wait=lambda _seconds: self._recovered(incident_id),
            people=lambda _payload, _timeout: self._approved(incident_id),
            before=lambda _state: None,
        )
        with counted(self._dynamodb) as table, counted(self._ssm) as switch, counted(self._lambda) as target:
            began = time.perf_counter()
            status, _ = machine.run(run_id, {"run_id": run_id, "incident_id": incident_id, "mode": "run"})
            self.whole = time.perf_counter() - began
        assert status == "SUCCEEDED", status
        self.transitions = len(machine.visited)
        self.calls = _calls(table, switch, target)
        self._estate.leave()

    def _asked(self) -> tuple[str, str]:
        subject = Subject(account=ACCOUNT, region=REGION, dimensions=self._estate.dimensions)
        incident_id = new_incident_id()
        self._people.commit(opened(id=incident_id, subject=subject, members=1, firing=1, service="checkout"))
        run = request_run(
            self._people, self._bundle, incident_id, _PLAYBOOK, actor=ALICE, now=_now(), account=ACCOUNT, region=REGION
        )
        return incident_id, run.run_id

    def _act(self, payload: dict[str, Any]) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            return act(parse_action(payload), call=self._call, place=self._place)
        finally:
            self.acting += time.perf_counter() - began

    def _call(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self._lambda, operation)(**parameters)
        return answer

    def _recovered(self, incident_id: str) -> None:
        def decide(incident: Incident) -> Change:
            return recorded(incident, "IncidentUpdated", actor=SYSTEM, at=_now(), text="all is well", firing=0)

        amend(self._people, incident_id, decide)

    def _approved(self, incident_id: str) -> dict[str, Any]:
        approval = next(body for key, body in self._people.query(f"INC#{incident_id}", "APPROVAL#"))
        decide_approval(
            self._people, approval["id"], actor=BOB, decision="approve", reason="", now=_now(), bundle=self._bundle
        )
        return {}


class _NoAlarms:
    """The playbook has no `stop_if`."""

    def state(self, name: str) -> str | None:
        raise AssertionError(f"nobody asks for the alarm {name}")


def _make(dynamodb: Any, ssm: Any) -> None:
    if _TABLE in dynamodb.list_tables()["TableNames"]:
        return
    ssm.put_parameter(Name=_SWITCH, Value="off", Type="String")

    def keys(first: str, second: str) -> list[dict[str, str]]:
        return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]

    dynamodb.create_table(
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "gpk", "gsk")],
        KeySchema=keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {"IndexName": "listing", "KeySchema": keys("gpk", "gsk"), "Projection": {"ProjectionType": "ALL"}}
        ],
    )


def _calls(*counts: Count) -> int:
    return sum(count.calls for count in counts)


def _now() -> datetime:
    return datetime.now(UTC)
