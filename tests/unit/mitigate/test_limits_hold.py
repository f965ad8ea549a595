"""Limits and flags under races, retries and merges."""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.amend import amend
from incidentio.core.errors import NotFound, Unavailable
from incidentio.core.incident import Incident, Status, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Key, Put, Record
from incidentio.core.signal import Subject
from incidentio.mitigate.conduct.revert import MOST_DEATHS
from incidentio.mitigate.conduct.score import revert_name
from incidentio.mitigate.keys import LEASES, lease_key
from incidentio.mitigate.runs import run_record
from incidentio.mitigate.switches import set_switch
from tests.make import ALICE, opened
from tests.unit.mitigate.stage import TWO_STEPS, Stage, killed

SAFE: dict[str, Any] = {"risk": "safe"}


def recovering(*playbooks: dict[str, Any], **incident: Any) -> Stage:
    stage = Stage(*(playbooks or (SAFE,)), **incident)
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    return stage


def asked(stage: Stage, op: str, run_id: str, **payload: Any) -> Any:
    return stage._invoke("control", {"op": op, "run_id": run_id, "incident_id": stage.incident.id, **payload})


def test_two_runs_through_the_gate_together_still_keep_the_rate_limit() -> None:
    stage = Stage({**SAFE, "rate_limit": {"runs": 1, "per": "1h"}})
    first = stage.request()
    second = first.having(run_id="RUN-7K3F9A-00000000")
    stage.table.write(Put(run_record(second)))
    for run in (first, second):
        assert asked(stage, "gate", run.run_id, definition=run.definition_hash)["decision"] == "go"
    for op in ("lock", "settle"):
        asked(stage, op, first.run_id)
    assert asked(stage, "lock", second.run_id)["decision"] == "refuse"
    assert "at most 1" in stage.run(second).reason


def test_cool_down_begins_when_the_run_is_over() -> None:
    stage = Stage({**SAFE, "rate_limit": {"cool_down": "10m"}, "revert": None})
    stage.waits = lambda _: stage.clock.advance(minutes=5) and None
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"
    lasted = stage.run(run).finished_at - stage.run(run).started_at
    assert lasted.total_seconds() > 600
    again = stage.request()
    stage.play()
    assert "cools down on checkout for another 10m" in stage.run(again).reason


def test_a_rate_record_outlives_the_cool_down_after_the_longest_run() -> None:
    stage = recovering({**SAFE, "rate_limit": {"per": "1m", "cool_down": "10m"}, "verify": {"within": "2h"}})
    stage.request()
    stage.play()
    (forgotten,) = [at for key, at in stage.table.expires.items() if key.pk.startswith("RATE#")]
    assert forgotten > stage.clock() + timedelta(hours=2, minutes=10)


@pytest.mark.parametrize("at", ["00:00", "12:00", "23:59"])
def test_a_freeze_window_from_an_hour_to_the_same_hour_is_the_whole_day(at: str) -> None:
    stage = Stage({**SAFE, "freeze": [{"days": ["sat"], "start": "00:00", "end": "00:00"}]})
    for day, expected in ((6, False), (7, True), (8, False)):
        stage.clock.now = stage.clock.now.replace(day=day, hour=int(at[:2]), minute=int(at[3:]))
        run = stage.request(seed=f"{day}")
        answer = asked(stage, "gate", run.run_id, definition=run.definition_hash)
        assert (answer["decision"] == "refuse") is expected, day
        stage.table.records.pop(next(k for k in stage.table.records if k.sk == f"RUN#{run.run_id}"))


def test_a_kill_switch_set_before_a_retried_keep_stops_the_apply() -> None:
    stage = recovering()
    invoke = stage._invoke

    def invoked(arn: str, payload: dict[str, Any]) -> Any:
        answer = invoke(arn, payload)
        if payload["op"] == "keep" and not switched:
            switched.append(1)
            set_switch(stage.table, "global", True, ALICE, "stop", now=stage.clock())
            return invoke(arn, payload)
        return answer

    switched: list[int] = []
    stage._invoke = invoked
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"
    assert not stage.estate.writes


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.CANCELLED])
def test_no_step_begins_for_an_incident_that_is_over(status: Status) -> None:
    stage = recovering({**TWO_STEPS, **SAFE})
    stage.at["Step2Begin"] = lambda: stage.change(status=status)
    run = stage.request("two-steps")
    stage.play()
    assert (stage.run(run).status, stage.estate.rule, stage.estate.reserved) == ("rolled_back", "ENABLED", 50)
    assert "lambda:PutFunctionConcurrency" not in stage.estate.writes


def merged(stage: Stage) -> None:
    stage.table.commit(opened(id="INC-00000B", firing=1, members=1, service="checkout"))
    stage.change(status=Status.MERGED, merged_into="INC-00000B", firing=0)


def other_becomes(stage: Stage, **fields: Any) -> None:
    amend(
        stage.table,
        "INC-00000B",
        lambda i: recorded(i, "IncidentUpdated", actor=SYSTEM, at=stage.clock(), text="x", **fields),
    )


def test_a_loan_stays_while_the_incident_it_was_merged_into_is_open() -> None:
    stage = recovering()
    run = stage.request()
    stage.play()
    merged(stage)
    stage.sweep()
    stage.play()
    assert (stage.run(run).lease.status, stage.estate.reserved) == ("open", 10)
    other_becomes(stage, status=Status.RESOLVED)
    stage.sweep()
    stage.play()
    assert (stage.run(run).lease.status, stage.estate.reserved) == ("restored", 50)


def test_hands_off_the_incident_it_was_merged_into_stops_the_run() -> None:
    stage = Stage(SAFE)
    stage.at["Watch"] = lambda: (merged(stage), other_becomes(stage, hands_off=True))
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"
    assert "hands off" in stage.run(run).reason


def test_an_alarm_of_another_account_is_told_and_starts_nothing() -> None:
    catalog = {"services": {"checkout": {"automation": {"auto": ["throttle-function"], "propose": ["*"]}}}}
    subject = Subject(account="999988887777", region="eu-west-1", dimensions={"FunctionName": "checkout"})
    stage = Stage(SAFE, catalog=catalog, subject=subject, proposed=("throttle-function",))
    for _ in range(2):
        stage.change()
        stage.table.entries[stage.incident.id][-1] = stage.table.entries[stage.incident.id][-1].model_copy(
            update={"type": "IncidentTriaged"}
        )
        stage.play()
    assert stage.types.count("PlaybookRefused") == 1
    assert "999988887777" in stage.text("PlaybookRefused")


def test_a_restore_that_always_dies_is_told_and_tried_ever_more_rarely() -> None:
    stage = recovering()
    run = stage.request()
    stage.play()

    def always_dies(state: str) -> None:
        if state == "Undo":
            assert len(stage.executions.statuses) < 20, "one restore after the other, without end"
            killed()

    stage._hook = always_dies
    stage.change(status=Status.RESOLVED)
    stage.sweep()
    stage.play()
    for _ in range(3):
        stage.sweep()
        stage.play()
    tries = [name for name in stage.executions.statuses if "revert" in name]
    assert len(tries) == 3
    assert stage.run(run).lease.status == "failed"
    assert "--reserved-concurrent-executions 50" in stage.text("RollbackFailed")
    assert stage.types.count("RollbackFailed") == 1
    stage._hook = lambda _: None
    stage.clock.advance(hours=4)
    stage.sweep()
    stage.play()
    assert (stage.run(run).lease.status, stage.estate.reserved) == ("restored", 50)


def test_a_loan_of_an_incident_nobody_knows_does_not_keep_the_others_waiting() -> None:
    stage = recovering()
    run = stage.request()
    stage.play()
    (key,) = [k for k in stage.table.records if k.pk == LEASES]
    dangling = {**stage.table.records[key], "run_id": "RUN-000000-00000000", "incident_id": "INC-000000"}
    stage.table.records[lease_key("RUN-000000-00000000")] = dangling
    stage.change(status=Status.RESOLVED)
    with pytest.raises(NotFound):
        stage.sweep()
    stage.play()
    assert stage.run(run).lease.status == "restored"


@pytest.mark.parametrize("trouble", [Unavailable("reading INC#INC-000000: throttled"), ValueError("no incident")])
@pytest.mark.parametrize("prefix", ["LEASES", "OPEN#RUNS", "REHEARSE#AFTER"])
def test_one_record_in_trouble_does_not_keep_the_sweep_from_the_others(
    prefix: str, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = recovering()
    run = stage.request()
    stage.play()
    lease = stage.table.records[lease_key(run.run_id)]
    stage.change(status=Status.RESOLVED)
    broken = {"run_id": "RUN-000000-00000000", "incident_id": "INC-000000", "playbook": run.playbook}
    kept = {"LEASES": {**lease, **broken}, "OPEN#RUNS": broken, "REHEARSE#AFTER": {"service": "checkout"}}
    stage.table.write(Put(Record(Key(prefix, "RUN-000000-00000000"), kept[prefix])))
    get, incident = stage.table.get, stage.table.incident

    def reading(key: Key) -> object:
        if key.pk == "INC#INC-000000":
            raise trouble
        return get(key)

    def looked_up(incident_id: str) -> Incident:
        if incident_id == "INC-000000":
            raise trouble
        return incident(incident_id)

    monkeypatch.setattr(stage.table, "get", reading)
    monkeypatch.setattr(stage.table, "incident", looked_up)
    with pytest.raises(Unavailable):
        stage.sweep()
    stage.play()
    assert stage.run(run).lease.status == "restored"
    assert stage.table.get(Key("BEAT", "mitigate"))


def test_a_restore_that_comes_to_its_end_while_it_is_looked_at_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = recovering()
    run = stage.request()
    stage.play()
    stage.change(status=Status.RESOLVED)
    stage.at["Resume"] = killed
    for _ in range(MOST_DEATHS - 1):
        stage.sweep()
        stage.executions.work()
        stage.at["UndoNext"] = killed
    stage.sweep()
    stage.at.clear()
    status = stage.executions.status

    def ends_now(playbook: str, name: str) -> str | None:
        if name == revert_name(run, MOST_DEATHS):
            stage.executions.work()
        return status(playbook, name)

    asked(stage, "resume", run.run_id, mode="revert", execution=revert_name(run, MOST_DEATHS))
    monkeypatch.setattr(stage.executions, "status", ends_now)
    stage.sweep()
    assert (stage.run(run).lease.status, stage.estate.reserved) == ("restored", 50)
    assert "RollbackFailed" not in stage.types
    assert list(stage.table.query(LEASES)) == []
