"""Playbooks on the deployed app: approvals, gates, undo and leases, each checked from the AWS side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import locked
from tests.e2e.world import World, eventually


@pytest.fixture
def four_eyes(run_home: Path) -> Iterator[str]:
    """A destructive playbook, of one test at a time: one of them stops it for everybody."""
    with locked(run_home / "four-eyes.lock"):
        yield "test-four-eyes"


def firing(world: World, *, concurrency: int | None = 50) -> tuple[dict[str, Any], str, str]:
    """A triaged incident of a real function's alarm: (incident, function, alarm)."""
    function = world.function(concurrency=concurrency)
    alarm = world.alarm(function=function)
    world.set_alarm(alarm, "ALARM")
    incident = world.the_incident_of(alarm)
    world.entry(incident["id"], "IncidentTriaged")
    return incident, function, alarm


def run_of(world: World, incident_id: str) -> dict[str, Any]:
    (run,) = world.incident(incident_id)["runs"]
    return run


def until_concurrency(world: World, function: str, value: int | None) -> None:
    eventually(lambda: world.concurrency(function) == value, f"reserved concurrency {value} on {function}")


def until_outcome(world: World, incident_id: str, outcome: str) -> dict[str, Any]:
    return eventually(lambda: (r := run_of(world, incident_id))["outcome"] == outcome and r, f"the run {outcome}")


def test_approved_by_another_person_it_throttles_verifies_and_gives_back(world: World) -> None:
    incident, function, alarm = firing(world)
    assert "throttle-function" in world.incident(incident["id"])["proposed"]
    world.request(world.alice, incident["id"], "throttle-function", parameters={"limit": 3})
    approval = world.approval(incident["id"])
    assert world.concurrency(function) == 50
    asked = eventually(lambda: world.told(incident["id"], event="ApprovalRequested"), "the approval asked of people")[0]
    assert f"approvals approve {approval['id']}" in asked["body"]

    assert world.decide(world.alice, approval).status_code == 403
    assert world.decide(world.bob, approval).status_code == 200
    until_concurrency(world, function, 3)
    assert world.incident(incident["id"])["acknowledged_at"] is not None, "approving also acknowledges"

    world.set_alarm(alarm, "OK")
    run = until_outcome(world, incident["id"], "succeeded")
    assert world.execution_status("throttle-function", run["run_id"]) == "SUCCEEDED"
    assert world.incident(incident["id"])["open_leases"] == 1
    assert world.concurrency(function) == 3, "the change is borrowed until the incident is resolved"
    world.alice.post(f"/incidents/{incident['id']}/resolve")
    until_concurrency(world, function, 50)
    world.entry(incident["id"], "LeaseRestored")
    assert world.incident(incident["id"])["open_leases"] == 0
    eventually(
        lambda: "lease restored" in world.alice.call("GET", f"/incidents/{incident['id']}/postmortem").text,
        "a draft that knows of the restored lease",
    )


def test_a_function_without_a_limit_has_none_again_afterwards(world: World) -> None:
    incident, function, alarm = firing(world, concurrency=None)
    world.request(world.alice, incident["id"], "throttle-function", parameters={"limit": 3})
    world.decide(world.bob, world.approval(incident["id"]))
    until_concurrency(world, function, 3)
    world.set_alarm(alarm, "OK")
    until_outcome(world, incident["id"], "succeeded")
    world.alice.post(f"/incidents/{incident['id']}/resolve")
    until_concurrency(world, function, None)


def test_a_rejected_run_changes_nothing(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "throttle-function")
    approval = world.approval(incident["id"])
    assert world.decide(world.bob, approval, "reject").status_code == 200
    run = until_outcome(world, incident["id"], "refused")
    assert world.execution_status("throttle-function", run["run_id"]) == "SUCCEEDED"
    assert world.concurrency(function) == 50


def test_an_unanswered_approval_expires_and_cannot_be_used_later(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "test-short-approval")
    # Whatever became of it by the time it is seen.
    approvals = f"/incidents/{incident['id']}/approvals"
    (approval,) = eventually(lambda: world.alice.get(approvals)["items"], "an approval asked")
    until_outcome(world, incident["id"], "refused")
    assert world.decide(world.bob, approval).status_code == 410
    assert world.concurrency(function) == 50


def test_an_approval_is_used_once(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "throttle-function", parameters={"limit": 3})
    approval = world.approval(incident["id"])
    assert world.decide(world.bob, approval).status_code == 200
    assert world.decide(world.bob, approval).status_code in (409, 410)
    assert world.decide(world.person("carol"), approval, "reject").status_code in (409, 410)
    until_concurrency(world, function, 3)


def test_one_role_is_one_person_under_any_session_name(world: World) -> None:
    incident, function, _ = firing(world)
    ops = [world.role_session("ops", name) for name in ("morning", "evening")]
    world.request(ops[0], incident["id"], "throttle-function")
    approval = world.approval(incident["id"])
    assert world.decide(ops[1], approval).status_code == 403
    assert world.concurrency(function) == 50
    assert world.decide(world.bob, approval).status_code == 200


def test_destructive_needs_two_people_who_did_not_ask(world: World, four_eyes: str) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], four_eyes)
    approval = world.approval(incident["id"])
    assert world.decide(world.bob, approval).status_code == 200
    assert world.decide(world.bob, approval).status_code in (403, 409), "the same person does not count twice"
    assert world.decide(world.alice, approval).status_code == 403
    assert world.concurrency(function) == 50
    assert world.decide(world.person("carol"), approval).status_code == 200
    until_concurrency(world, function, 7)


def test_a_failed_verification_puts_back_what_was_there_and_pages(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "test-short-watch")
    run = until_outcome(world, incident["id"], "rolled_back")
    (step,) = run["steps"]  # it watches for seconds: who looks at the function may come too late
    assert step["undo_summary"] == f"reserved concurrency of function {function}: 7 → 50"
    assert world.concurrency(function) == 50
    eventually(lambda: world.execution_status("test-short-watch", run["run_id"]) == "FAILED", "a failed execution")
    eventually(
        lambda: world.told(incident["id"], topic="PageTopicArn", event="PlaybookRolledBack"), "a page of the rollback"
    )


@pytest.mark.parametrize("scope", ["incident", "playbook"])
def test_hands_off_before_the_approval_stops_the_run(world: World, scope: str, four_eyes: str) -> None:
    incident, function, _ = firing(world)
    playbook = "throttle-function" if scope == "incident" else four_eyes
    switch = incident["id"] if scope == "incident" else playbook
    world.request(world.alice, incident["id"], playbook)
    approval = world.approval(incident["id"])
    world.alice.post("/hands-off", {"scope": switch, "on": True, "reason": "test"})
    try:
        world.decide(world.bob, approval)
        if scope == "playbook":
            world.decide(world.person("carol"), approval)
        until_outcome(world, incident["id"], "refused")
        assert world.concurrency(function) == 50
    finally:
        world.alice.post("/hands-off", {"scope": switch, "on": False, "reason": "test"})


def test_hands_off_in_the_middle_stops_and_undoes(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "test-long-watch")
    until_concurrency(world, function, 7)
    world.alice.post("/hands-off", {"scope": incident["id"], "on": True, "reason": "test"})
    until_outcome(world, incident["id"], "rolled_back")
    assert world.concurrency(function) == 50


def test_the_kill_switch_parameter_stops_a_run_without_our_api(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "test-long-watch")
    until_concurrency(world, function, 7)
    ssm, name = world.client("ssm"), world.outputs["KillSwitchParameterName"]
    # The incident's id, not `on`: other tests share this target.
    ssm.put_parameter(Name=name, Value=incident["id"], Type="String", Overwrite=True)
    try:
        until_outcome(world, incident["id"], "rolled_back")
        assert world.concurrency(function) == 50
    finally:
        ssm.put_parameter(Name=name, Value="off", Type="String", Overwrite=True)


def test_a_stopped_execution_is_recovered_from_its_snapshot(world: World) -> None:
    incident, function, _ = firing(world)
    run_id = world.request(world.alice, incident["id"], "test-long-watch")["run_id"]
    until_concurrency(world, function, 7)
    states = world.client("stepfunctions")
    (machine,) = [m for m in states.list_state_machines()["stateMachines"] if m["name"].endswith("-test-long-watch")]
    arn = machine["stateMachineArn"].replace(":stateMachine:", ":execution:") + f":{run_id}"
    states.stop_execution(executionArn=arn)
    until_concurrency(world, function, 50)
    until_outcome(world, incident["id"], "rolled_back")
    eventually(lambda: world.told(incident["id"], event="PlaybookRolledBack"), "a page of the recovery")
    again = world.request(world.alice, incident["id"], "test-short-watch")["run_id"]

    def applied() -> bool:
        runs = {run["run_id"]: run for run in world.incident(incident["id"])["runs"]}
        return bool(runs[again]["steps"]) and runs[again]["steps"][0]["status"] in ("applied", "restored")

    eventually(applied, "the function capped again")


def test_a_foreign_change_is_left_alone_and_paged(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "test-long-watch")
    until_concurrency(world, function, 7)
    world.entry(incident["id"], "StepApplied")
    world.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=21)
    world.alice.post("/hands-off", {"scope": incident["id"], "on": True, "reason": "test"})
    world.entry(incident["id"], "ForeignChangeFound")
    assert world.concurrency(function) == 21
    page = eventually(lambda: world.told(incident["id"], event="ForeignChangeFound"), "a page of the foreign change")[0]
    assert page["topic"] == world.outputs["PageTopicArn"]


def test_a_signal_on_a_target_under_a_run_joins_and_starts_nothing(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "test-long-watch")
    until_concurrency(world, function, 7)
    other = world.alarm("checkout-throttles", function=function, metric="Throttles")
    world.set_alarm(other, "ALARM")
    joined = world.entry(incident["id"], "SignalJoined")
    assert other in str(joined)
    assert world.incidents_of(other) == []
    assert world.incident(incident["id"])["members"] == 2


def test_one_target_has_one_run_at_a_time(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "test-long-watch")
    until_concurrency(world, function, 7)
    second = world.request(world.alice, incident["id"], "test-short-watch")["run_id"]
    eventually(
        lambda: (
            next(r for r in world.incident(incident["id"])["runs"] if r["run_id"] == second)["outcome"] == "refused"
        ),
        "the second run refused",
    )


def test_a_dry_run_changes_nothing_and_says_what_it_would(world: World) -> None:
    incident, function, _ = firing(world)
    world.request(world.alice, incident["id"], "throttle-function", parameters={"limit": 3}, dry_run=True)
    run = until_outcome(world, incident["id"], "planned")
    assert world.concurrency(function) == 50
    assert "put-function-concurrency" in str(run)


def test_scale_out_adds_tasks_within_its_bound(world: World) -> None:
    ecs = world.client("ecs")
    cluster, service = f"shop-{world.tag}", f"web-{world.tag}"
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family=service, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    ecs.create_service(cluster=cluster, serviceName=service, taskDefinition=service, desiredCount=2)
    incident = world.alice.post("/incidents", {"title": f"web slow {world.tag}"})

    def desired() -> int:
        return int(ecs.describe_services(cluster=cluster, services=[service])["services"][0]["desiredCount"])

    world.request(world.alice, incident["id"], "scale-out-service", target=f"{cluster}/{service}")
    eventually(lambda: desired() > 2, "more tasks wanted")
    world.alice.post(f"/incidents/{incident['id']}/resolve")
    eventually(lambda: desired() == 2, "the tasks given back")


def test_stop_runaway_workload_disables_the_rule_and_caps_the_function(world: World) -> None:
    incident, function, alarm = firing(world)
    events, rule = world.client("events"), f"loop-{world.tag}"
    events.put_rule(Name=rule, ScheduleExpression="rate(1 minute)", State="ENABLED")
    world.request(world.alice, incident["id"], "stop-runaway-workload", parameters={"rule": rule})
    approval = world.approval(incident["id"])
    asked = eventually(lambda: world.told(incident["id"], event="ApprovalRequested"), "the approval asked of people")[0]
    assert "dropped" in asked["body"]
    world.decide(world.bob, approval)
    until_concurrency(world, function, 0)
    assert events.describe_rule(Name=rule)["State"] == "DISABLED"
    world.set_alarm(alarm, "OK")
    until_outcome(world, incident["id"], "succeeded")
    world.alice.post(f"/incidents/{incident['id']}/resolve")
    until_concurrency(world, function, 50)
    eventually(lambda: events.describe_rule(Name=rule)["State"] == "ENABLED", "the rule enabled again")
