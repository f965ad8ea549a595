"""Everything that keeps a run from acting, one by one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentio.core.errors import NotFound
from incidentio.core.incident import Status
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put
from incidentio.core.signal import Kind, Mode
from incidentio.mitigate.control.locks import lock_record
from incidentio.mitigate.keys import lock_key
from incidentio.mitigate.run import Run
from incidentio.mitigate.switches import check_scope, set_hands_off, set_switch, switches
from tests.make import ALICE
from tests.unit.mitigate.stage import TARGET, Stage

SAFE = {"risk": "safe"}


def gate(stage: Stage, run: Run | None = None, **changes: Any) -> dict[str, Any]:
    run = run or stage.request()
    payload = {"op": "gate", "run_id": run.run_id, "incident_id": run.incident_id, "definition": run.definition_hash}
    return stage._invoke("control", {**payload, **changes})


def refused(stage: Stage, run: Run | None = None, **changes: Any) -> str:
    answer = gate(stage, run, **changes)
    assert answer["decision"] == "refuse"
    assert stage.types[-1] == "PlaybookRefused"
    assert answer["reason"] in stage.text("PlaybookRefused")
    return str(answer["reason"])


def test_an_open_gate() -> None:
    assert gate(Stage(SAFE)) == {"decision": "go"}


def test_a_refusal_is_repeated_and_recorded_once() -> None:
    stage = Stage(SAFE)
    set_switch(stage.table, "global", True, ALICE, "", now=stage.clock())
    run = stage.request()
    refused(stage, run)
    assert gate(stage, run) == {"decision": "refuse"}
    assert stage.types.count("PlaybookRefused") == 1


@pytest.mark.parametrize("scope", ["global", "service#checkout", "playbook#throttle-function"])
def test_kill_switches_in_the_table(scope: str) -> None:
    stage = Stage(SAFE)
    set_switch(stage.table, scope, True, ALICE, "deploying", now=stage.clock())
    name = scope.partition("#")[2] or "everything"
    assert f"automation is stopped for {name} (hands off) by {ALICE.id}: deploying" in refused(stage)
    set_switch(stage.table, scope, False, ALICE, "", now=stage.clock())
    assert gate(stage)["decision"] == "go"


@pytest.mark.parametrize(
    ("match", "target", "stops"),
    [
        ({"resources": ["worker*"]}, "worker-1", True),
        ({"resources": ["worker*"]}, "checkout", False),
        ({"resources": ["arn:aws:lambda:*:*:function:worker*"], "tags": {"app": "orders"}}, "worker-1", False),
        ({"alarm_names": ["worker*"]}, "worker-1", False),
    ],
)
@pytest.mark.parametrize("service", [None, "checkout"])
@pytest.mark.parametrize("by", ["table", "parameter"])
def test_a_service_is_stopped_for_what_its_catalogue_entry_names(
    match: dict[str, Any], target: str, stops: bool, service: str | None, by: str
) -> None:
    """Whatever incident the run is for."""
    stage = Stage(SAFE, catalog={"services": {"orders": {"match": match}}}, service=service)
    if by == "parameter":
        stage.parameter = "service#orders"
    else:
        set_switch(stage.table, "service#orders", True, ALICE, "deploying", now=stage.clock())
    assert gate(stage, stage.request(target=target))["decision"] == ("refuse" if stops else "go")


def test_an_unknown_scope_names_what_is_like_it_once() -> None:
    stage = Stage(SAFE, catalog={"services": {"orders": {}}})
    with pytest.raises(NotFound) as told:
        check_scope(stage.table, stage.bundle, "throtle-function")
    assert told.value.message.count("throttle-function") == 1
    assert "orders" not in told.value.message


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("off", False),
        ("", False),
        ("on", True),
        ("ON", True),
        ("service#checkout", True),
        ("checkout", True),
        ("orders, throttle-function", True),
        ("service#orders,playbook#two-steps", False),
        ("INC-7K3F9A", True),
        ("INC-000000", False),
        ("chekout", True),
    ],
)
def test_the_parameter_anyone_can_put(text: str, stops: bool) -> None:
    catalog = {"services": {"checkout": {}, "orders": {}}}
    stage = Stage(SAFE, {"name": "two-steps"}, catalog=catalog)
    stage.parameter = text
    assert gate(stage)["decision"] == ("refuse" if stops else "go")


def test_hands_off_one_incident() -> None:
    stage = Stage(SAFE)
    for _ in range(2):
        set_hands_off(stage.table, stage.incident.id, True, ALICE, "I have it", now=stage.clock())
    assert stage.types.count("HandsOffChanged") == 1
    assert "hands off" in refused(stage)


@pytest.mark.parametrize(
    ("fields", "why"),
    [({"mode": Mode.MONITOR}, "monitor"), ({"kind": Kind.DRILL}, "drill"), ({"status": Status.RESOLVED}, "resolved")],
)
def test_what_started_by_itself_needs_a_live_real_open_incident(fields: dict[str, Any], why: str) -> None:
    stage = Stage(SAFE)
    run = stage.request(actor=SYSTEM)
    stage.change(**fields)
    assert why in refused(stage, run)


def test_a_person_may_act_on_a_drill() -> None:
    assert gate(Stage(SAFE, kind=Kind.DRILL))["decision"] == "go"


@pytest.mark.parametrize(
    ("at", "frozen"),
    [
        ("2026-03-06T21:59", False),
        ("2026-03-06T22:00", True),  # a Friday
        ("2026-03-07T05:59", True),
        ("2026-03-07T06:00", False),
        ("2026-03-07T23:00", False),
    ],
)
def test_a_freeze_window_may_pass_midnight(at: str, frozen: bool) -> None:
    stage = Stage({**SAFE, "freeze": [{"days": ["fri"], "start": "22:00", "end": "06:00", "why": "weekend"}]})
    stage.clock.now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert gate(stage)["decision"] == ("refuse" if frozen else "go")


def locked(stage: Stage) -> Run:
    """A run that got as far as its lock."""
    run = stage.request()
    assert gate(stage, run)["decision"] == "go"
    stage._invoke("control", {"op": "lock", "run_id": run.run_id, "incident_id": run.incident_id})
    return run


def ended(stage: Stage, run: Run) -> None:
    stage._invoke("control", {"op": "settle", "run_id": run.run_id, "incident_id": run.incident_id})


def test_at_most_so_many_runs_in_so_much_time() -> None:
    stage = Stage({**SAFE, "rate_limit": {"runs": 2, "per": "1h"}})
    for _ in range(2):
        ended(stage, locked(stage))
        stage.clock.advance(minutes=1)
    assert "it ran 2 times on checkout in the last 1h: at most 2" in refused(stage)
    stage.clock.advance(minutes=59)
    assert gate(stage)["decision"] == "go"


def test_cool_down() -> None:
    stage = Stage({**SAFE, "rate_limit": {"cool_down": "10m"}})
    ended(stage, locked(stage))
    stage.clock.advance(minutes=4)
    assert "cools down on checkout for another 6m" in refused(stage)
    stage.clock.advance(minutes=6)
    assert gate(stage)["decision"] == "go"


@pytest.mark.parametrize(("state", "decision"), [("OK", "go"), ("ALARM", "refuse"), (None, "refuse")])
def test_the_stop_alarm(state: str | None, decision: str) -> None:
    stage = Stage({**SAFE, "stop_if": {"alarm": "worse"}})
    if state:
        stage.alarm_states["worse"] = state
    assert gate(stage)["decision"] == decision


def test_another_definition_in_the_machine() -> None:
    assert "changed since it was asked for" in refused(Stage(SAFE), definition="0" * 16)


def test_the_second_gate_wants_the_approval() -> None:
    on = Stage()
    run = on.request()
    payload = {"run_id": run.run_id, "incident_id": run.incident_id, "definition": run.definition_hash}
    assert "nobody was asked" in on._invoke("control", {"op": "gate", "stage": "approved", **payload})["reason"]


def test_an_approval_of_another_definition_is_none() -> None:
    on = Stage()
    run = on.request()
    payload = {"run_id": run.run_id, "incident_id": run.incident_id, "definition": run.definition_hash}
    on._invoke("control", {"op": "ask", "token": "t", "turn": 1, **payload})
    on.decide()
    (key,) = [k for k in on.table.records if k.sk.startswith("APPROVAL#")]
    on.table.records[key]["definition_hash"] = "f" * 16
    assert "another definition" in on._invoke("control", {"op": "gate", "stage": "approved", **payload})["reason"]


def lock(stage: Stage, run: Run) -> dict[str, Any]:
    return stage._invoke("control", {"op": "lock", "run_id": run.run_id, "incident_id": run.incident_id})


def test_a_lock_is_taken_once_and_says_what_ingest_reads() -> None:
    stage = Stage(SAFE)
    run = stage.request()
    assert [lock(stage, run)["decision"] for _ in range(2)] == ["go", "go"]
    assert stage.types.count("PlaybookStarted") == 1
    body = stage.table.records[lock_key(TARGET)]
    assert (body["run_id"], body["incident_id"]) == (run.run_id, run.incident_id)
    assert datetime.fromisoformat(body["expires_at"]) > stage.clock()


def other(stage: Stage, *, ends: timedelta, finished: bool) -> None:
    """A lock of another run."""
    run = stage.request(seed="other").having(run_id="RUN-7K3F9A-00000000")
    from incidentio.mitigate.runs import run_record

    done = run.having(status="rolled_back" if finished else "running")
    now = stage.clock()
    stage.table.write(Put(run_record(done)), Put(lock_record(run, TARGET, now, now + ends)))


@pytest.mark.parametrize(
    ("ends", "finished", "decision"),
    [
        (timedelta(hours=1), False, "refuse"),
        (timedelta(hours=-1), False, "refuse"),
        (timedelta(hours=1), True, "refuse"),
        (timedelta(hours=-1), True, "go"),
    ],
)
def test_a_lock_is_taken_over_only_when_it_is_past_and_its_owner_is_done(
    ends: timedelta, finished: bool, decision: str
) -> None:
    stage = Stage(SAFE)
    run = stage.request()
    other(stage, ends=ends, finished=finished)
    assert lock(stage, run)["decision"] == decision


def test_two_runs_reach_for_the_lock_together() -> None:
    stage = Stage(SAFE, {"name": "other-playbook", **SAFE})
    first, second = stage.request(), stage.request("other-playbook")
    stage.table.before_commit.append(lambda: lock(stage, second))
    assert lock(stage, first)["decision"] == "refuse"
    assert stage.table.records[lock_key(TARGET)]["run_id"] == second.run_id


def test_scopes_are_checked_by_name() -> None:
    stage = Stage(SAFE, catalog={"services": {"checkout": {}}})
    assert check_scope(stage.table, stage.bundle, "all") == "global"
    assert check_scope(stage.table, stage.bundle, "checkout") == "service#checkout"
    assert check_scope(stage.table, stage.bundle, "playbook#throttle-function") == "playbook#throttle-function"
    with pytest.raises(NotFound) as caught:
        check_scope(stage.table, stage.bundle, "chekout")
    assert "service#checkout" in caught.value.details["valid"]
    set_switch(stage.table, "service#checkout", True, ALICE, "x", now=stage.clock())
    assert [s["scope"] for s in switches(stage.table, stage.bundle)] == ["service#checkout"]
