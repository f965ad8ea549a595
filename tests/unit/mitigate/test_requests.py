"""Asking for a run: by people, and by automation a team opted in to."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, Forbidden, InvalidInput, NotFound, VersionConflict
from incidentio.core.incident import Status
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Key
from incidentio.core.signal import Kind, Mode, Subject
from incidentio.mitigate.conduct.conductor import conduct
from incidentio.mitigate.switches import set_hands_off
from tests.make import ALICE, BOB
from tests.unit.mitigate.stage import PREFIX, TARGET, Stage

SAFE = {"risk": "safe"}
OPTED_IN: dict[str, Any] = {"services": {"checkout": {"automation": {"auto": ["throttle-function"]}}}}


def test_a_request_pins_everything_and_is_one_transaction() -> None:
    stage = Stage()
    run = stage.request(parameters={"limit": 3})
    assert (run.target, run.parameters, run.steps[0].given) == (TARGET, {"limit": 3}, {"value": 3})
    assert stage.types[-1] == "PlaybookRequested"
    assert stage.run(run) == run
    assert Key("OPEN#RUNS", run.run_id) in stage.table.records
    assert stage.incident.runs == 1
    body = stage.table.records[Key("INC#INC-7K3F9A", f"RUN#{run.run_id}")]
    assert body["id"] == run.run_id


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"playbook": "thottle"},
            NotFound,
            r"there is no playbook 'thottle'.*mean throttle-function.*incidentio playbooks list",
        ),
        ({"parameters": {"limt": 1}}, InvalidInput, "takes limit"),
        ({"parameters": {"limit": 0}}, InvalidInput, "at least 1"),
        ({"parameters": {"limit": "3"}}, InvalidInput, "must be an integer"),
        ({"target": "no such name!"}, InvalidInput, "not the name of"),
        ({"account": "999999999999"}, Forbidden, "acts only in"),
        ({"expected_version": 7}, VersionConflict, "version 1"),
        ({"actor": SYSTEM, "break_glass": "x"}, InvalidInput, "only a person"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    stage = Stage()
    with pytest.raises(error, match=message):
        stage.request(**arguments)
    assert stage.types == ["IncidentTriggered"]
    assert not stage.table.records


def test_an_incident_that_names_no_target_needs_one() -> None:
    stage = Stage(subject=Subject())
    with pytest.raises(InvalidInput, match="pass --target FUNCTION"):
        stage.request()
    assert stage.request(target="other").target.endswith("|111122223333|eu-west-1|other")


def test_over_is_over() -> None:
    stage = Stage(status=Status.RESOLVED)
    with pytest.raises(Conflict, match="open incidents"):
        stage.request()


def test_asking_twice_is_asking_once() -> None:
    stage = Stage()
    first = stage.request()
    assert stage.request(actor=BOB).run_id == first.run_id
    with pytest.raises(Conflict, match="already at work") as caught:
        stage.request(parameters={"limit": 3})
    assert caught.value.details["run_id"] == first.run_id
    assert stage.types.count("PlaybookRequested") == 1


def test_two_at_the_same_moment_are_one() -> None:
    stage = Stage()
    stage.table.before_commit.append(stage.request)
    stage.request(actor=BOB)
    assert stage.types.count("PlaybookRequested") == 1


def test_an_idempotency_key_outlives_the_run() -> None:
    stage = Stage(SAFE)
    run = stage.request(idempotency_key="k")
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    stage.play()
    assert stage.run(run).finished
    assert stage.request(idempotency_key="k").run_id == run.run_id
    assert stage.request(idempotency_key="other").run_id != run.run_id


def test_a_key_of_another_change_is_a_conflict() -> None:
    stage = Stage()
    set_hands_off(stage.table, stage.incident.id, True, ALICE, "", now=stage.clock(), idempotency_key="k")
    with pytest.raises(Conflict, match="used for something else"):
        stage.request(idempotency_key="k")


def triaged(stage: Stage, *, times: int = 1, **fields: Any) -> None:
    stage.change(proposed=("throttle-function",), **fields)
    detail = {
        "id": "x",
        "type": "IncidentTriaged",
        "occurred_at": stage.clock().isoformat(),
        "incident_id": stage.incident.id,
        "incident_version": 1,
        "correlation_id": "c",
        "kind": "real",
        "data": {},
    }
    for _ in range(times):
        conduct(stage.score, {"detail": detail}, machines=PREFIX)


def test_what_a_team_opted_in_to_starts_by_itself_once() -> None:
    stage = Stage(SAFE, catalog=OPTED_IN)
    triaged(stage, times=2)
    assert stage.types.count("PlaybookRequested") == 1
    assert stage.data("PlaybookRequested")["requester"] == "system"
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    stage.play()
    triaged(stage)
    assert stage.types.count("PlaybookRequested") == 1, "not again in the same episode"
    triaged(stage, episode=5)
    assert stage.types.count("PlaybookRequested") == 2


@pytest.mark.parametrize(
    ("risk", "catalog", "fields"),
    [
        ("safe", {}, {}),
        ("safe", {"services": {"checkout": {}}}, {}),
        ("disruptive", OPTED_IN, {}),
        ("safe", OPTED_IN, {"mode": Mode.MONITOR}),
        ("safe", OPTED_IN, {"kind": Kind.DRILL}),
        ("safe", OPTED_IN, {"hands_off": True}),
        ("safe", OPTED_IN, {"status": Status.RESOLVED}),
        ("safe", OPTED_IN, {"service": None}),
    ],
)
def test_nothing_else_starts_by_itself(risk: str, catalog: dict[str, Any], fields: dict[str, Any]) -> None:
    stage = Stage({"risk": risk}, catalog=catalog)
    triaged(stage, **fields)
    assert "PlaybookRequested" not in stage.types


def test_automation_that_cannot_start_says_so_once() -> None:
    stage = Stage(SAFE, catalog=OPTED_IN, subject=Subject())
    triaged(stage, times=3)
    assert stage.types.count("PlaybookRefused") == 1
    assert "names no AWS::Lambda::Function" in stage.text("PlaybookRefused")


def test_automation_never_approves_for_itself() -> None:
    stage = Stage()
    run = stage.request(actor=SYSTEM)
    stage.play()
    assert (stage.run(run).status, stage.estate.writes) == ("refused", [])


def test_a_playbook_without_a_machine_is_refused_with_the_reason() -> None:
    stage = Stage()
    stage.executions.missing.add("throttle-function")
    run = stage.request()
    stage.play()
    assert "no state machine" in stage.run(run).reason


def test_other_machines_and_unknown_events_are_left_alone() -> None:
    stage = Stage()
    run = stage.request()
    detail = {"name": run.run_id, "status": "FAILED", "stateMachineArn": "arn:aws:states:r:a:stateMachine:other"}
    assert conduct(stage.score, {"source": "aws.states", "detail": detail}, machines=PREFIX) == "not ours"
    assert ALICE.id in stage.text("PlaybookRequested")
    assert not stage.executions.statuses
