"""Twenty runs over five targets at the same moment, on a real DynamoDB: no target is ever in two hands."""

import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from incidentio.aws.table import DynamoTable
from incidentio.core.bundle import Bundle
from incidentio.core.ids import new_incident_id
from incidentio.core.playbook import Playbook
from incidentio.core.routing import Routing
from incidentio.core.targets import target_name
from incidentio.mitigate.actions.request import answer as act
from incidentio.mitigate.actions.request import parse_request as parse_action
from incidentio.mitigate.control.desk import Desk, parse_request
from incidentio.mitigate.control.operations import operate
from incidentio.mitigate.keys import OPEN_RUNS, lock_key
from incidentio.mitigate.requests import request_run
from incidentio.mitigate.run import Run
from incidentio.mitigate.runs import load_run
from infra.compiler import compile_playbook
from tests.fakes import FakeClock
from tests.integration.caller import clients
from tests.make import ALICE, opened
from tests.unit.mitigate.interpreter import Interpreter
from tests.unit.mitigate_actions.estate import PLACE

RUNS = 20
NAMES = ("api", "billing", "checkout", "mail", "search")
CAP = {"action": "set-reserved-concurrency", "with": {"value": 3}}
ONE: dict[str, Any] = {
    "name": "cap-one",
    "version": "1.0.0",
    "owner": "tests",
    "risk": "safe",
    "targets": {"type": "AWS::Lambda::Function", "max": {"count": 3}},
    "rate_limit": {"runs": 100},
    "steps": [CAP],
}
SEVERAL = ONE | {"name": "cap-several", "steps": [{"foreach": "targets", "steps": [CAP]}]}


class Crowd:
    """Every run in a thread, with its own incident and execution. Nobody who got the lock goes on before all asked."""

    def __init__(self, table: DynamoTable) -> None:
        books = [Playbook.model_validate(each) for each in (ONE, SEVERAL)]
        self.table, self.bundle = table, Bundle(playbooks={book.name: book for book in books})
        self.desk = Desk(table, self.bundle, self, self, FakeClock())
        self.reserved = dict.fromkeys(NAMES, 50)
        self.at_work: dict[str, str] = {}
        self.mistakes: list[str] = []
        self._all_asked = threading.Barrier(RUNS, timeout=240)

    def value(self) -> str:
        return "off"

    def state(self, _name: str) -> None:
        return None

    def ask(self, number: int) -> Run:
        """Four in five act on one target, the fifth on three at once."""
        incident = opened(id=new_incident_id(), firing=0, members=1)
        self.table.commit(incident)
        several = number % 5 == 4
        names = [NAMES[(number * 2 + i) % 5] for i in range(3)] if several else [NAMES[number % 5]]
        return request_run(
            self.table,
            self.bundle,
            incident.incident.id,
            "cap-several" if several else "cap-one",
            actor=ALICE,
            now=self.desk.clock(),
            account=PLACE.account,
            region=PLACE.region,
            target=",".join(names),
        )

    def play(self, run: Run) -> Run:
        machine = Interpreter(
            compile_playbook(self.bundle.playbooks[run.playbook], control_arn="control", action_arn="action"),
            invoke=lambda arn, payload: self._invoked(run, arn, payload),
            wait=lambda _seconds: None,
            people=lambda _payload, _timeout: None,
            before=lambda _state: None,
        )
        machine.run(run.run_id, {"run_id": run.run_id, "incident_id": run.incident_id, "mode": "run"})
        return load_run(self.table, run.incident_id, run.run_id)

    def _invoked(self, run: Run, arn: str, payload: dict[str, Any]) -> Mapping[str, Any]:
        if arn == "action":
            if payload["op"] == "apply" and self.at_work.setdefault(payload["target"], run.run_id) != run.run_id:
                self.mistakes.append(f"{payload['target']} is in the hands of {self.at_work[payload['target']]} too")
            return act(parse_action(payload), call=self._call, place=PLACE)
        if payload["op"] == "settle":
            for target in run.all_targets:
                self.at_work.pop(target, None)
        answer = operate(self.desk, parse_request(payload))
        if payload["op"] == "lock":
            self._all_asked.wait()
        return answer

    def _call(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        name = parameters.get("FunctionName", "")
        match operation:
            case "get_function_concurrency":
                return {"ReservedConcurrentExecutions": self.reserved[name]}
            case "put_function_concurrency":
                self.reserved[name] = parameters["ReservedConcurrentExecutions"]
            case "get_account_settings":
                limit = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 700}
                return {"AccountLimit": limit, "AccountUsage": {"FunctionCount": 5}}
        return {}


@pytest.fixture
def table(emulator: dict[str, Any]) -> DynamoTable:
    dynamodb, name = clients(emulator)("dynamodb"), f"crowd-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
    )
    return DynamoTable(dynamodb, name, Routing())


def test_twenty_runs_over_five_targets_keep_the_locks_exact(table: DynamoTable) -> None:
    crowd = Crowd(table)
    runs = [crowd.ask(number) for number in range(RUNS)]
    with ThreadPoolExecutor(RUNS) as pool:
        done = list(pool.map(crowd.play, runs))

    assert crowd.mistakes == []
    won = [run for run in done if run.outcome == "succeeded"]
    lost = [run for run in done if run.outcome == "refused"]
    assert len(won) + len(lost) == RUNS
    taken = [target for run in won for target in run.all_targets]
    assert len(taken) == len(set(taken)), "each target was in one hand"
    for run in lost:
        assert set(run.all_targets) & set(taken), "who lost, lost to somebody"
        assert "is in the hands of" in run.reason
        assert not run.touched
    assert {name for name, value in crowd.reserved.items() if value == 3} == {target_name(t) for t in taken}
    assert not [target for target in taken if table.get(lock_key(target))], "given back"
    assert not list(table.query(OPEN_RUNS))
