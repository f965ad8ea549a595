"""Steps that are not just one after the other, and a function that dies in the middle, on the deployed app."""

import io
import urllib.request
import zipfile
from typing import Any

import pytest

from tests.e2e.world import World, eventually

DIES = """
import os
from incidentio.mitigate.actions.handler import handler as real

def handler(event, context):
    answer = real(event, context)
    if event["op"] == "apply":
        os._exit(1)  # AWS is changed, and nobody will ever hear of it
    return answer
"""


def firing(world: World, function: str) -> tuple[str, str]:
    """A triaged incident of the function's alarm: (id, alarm)."""
    alarm = world.alarm(function=function)
    world.set_alarm(alarm, "ALARM")
    incident = world.the_incident_of(alarm)
    world.entry(incident["id"], "IncidentTriaged")
    return str(incident["id"]), alarm


def rules(world: World) -> list[str]:
    names = [f"{which}-{world.tag}" for which in ("first", "second")]
    for name in names:
        world.client("events").put_rule(Name=name, ScheduleExpression="rate(1 day)", State="ENABLED")
    return names


def states(world: World, names: list[str]) -> list[str]:
    return [world.client("events").describe_rule(Name=name)["State"] for name in names]


def run_of(world: World, incident_id: str) -> dict[str, Any]:
    (run,) = world.incident(incident_id)["runs"]
    return run


def test_branches_a_person_and_several_targets(world: World) -> None:
    functions = [world.function(name, concurrency=50) for name in ("checkout", "orders")]
    first, second = named = rules(world)
    incident_id, alarm = firing(world, functions[0])
    world.request(
        world.alice,
        incident_id,
        "test-every-kind",
        target=",".join(functions),
        parameters={"first": first, "second": second},
    )
    asked = world.entry(incident_id, "ManualStepRequested")
    assert states(world, named) == ["DISABLED", "DISABLED"], "both branches are done before it goes on"
    assert f"Look at {first} and {second}" in asked["text"]
    page = eventually(lambda: world.told(incident_id, event="ManualStepRequested"), "a page that asks for hands")[0]
    assert f"aws events describe-rule --name {first}" in page["body"]
    approval = world.approval(incident_id)
    assert world.decide(world.alice, approval).status_code == 200, "who asked for the run may do what it asks for"

    eventually(lambda: [world.concurrency(f) for f in functions] == [7, 7], "both functions capped")
    world.set_alarm(alarm, "OK")
    run = eventually(lambda: (r := run_of(world, incident_id))["outcome"] == "succeeded" and r, "the run succeeded")
    assert world.execution_status("test-every-kind", run["run_id"]) == "SUCCEEDED"
    assert [step["status"] for step in run["steps"]] == ["applied", "done", "applied", "applied", "skipped", "done"] + [
        "applied"
    ] * 2
    assert "alice" in next(step["summary"] for step in run["steps"] if step["kind"] == "manual")

    world.alice.post(f"/incidents/{incident_id}/resolve")
    eventually(lambda: [world.concurrency(f) for f in functions] == [50, 50], "both functions as they were")
    eventually(lambda: states(world, named) == ["ENABLED", "ENABLED"], "both rules as they were")
    world.entry(incident_id, "LeaseRestored")


def test_a_branch_that_fails_undoes_the_other(world: World) -> None:
    function = world.function(concurrency=50)
    first, second = named = rules(world)
    incident_id, _ = firing(world, function)
    parameters = {"first": first, "second": second, "third": "no-such-rule"}
    world.request(world.alice, incident_id, "test-every-kind", parameters=parameters)
    run = eventually(lambda: (r := run_of(world, incident_id))["outcome"] and r, "the run over")
    statuses = [step["status"] for step in run["steps"]]
    assert run["outcome"] == "rolled_back", (run.get("reason"), statuses)
    assert statuses[0] in ("restored", "pending"), "undone, unless the branches' end came before its beginning"
    assert statuses[2:4] == ["restored", "pending"], "the failing branch's own first step is undone too"
    assert states(world, named) == ["ENABLED", "ENABLED"]
    assert world.concurrency(function) == 50
    assert "ManualStepRequested" not in world.types(incident_id)


@pytest.fixture
def dying(world: World) -> None:
    """The action function of test-killed-midway, as somebody else would replace its code."""
    functions = world.client("lambda")
    pages = functions.get_paginator("list_functions").paginate()
    found = [f for page in pages for f in page["Functions"]]
    (name,) = [
        f["FunctionName"]
        for f in found
        if f.get("Environment", {}).get("Variables", {}).get("PLAYBOOK") == "test-killed-midway"
    ]
    with urllib.request.urlopen(functions.get_function(FunctionName=name)["Code"]["Location"]) as answer:
        code = io.BytesIO(answer.read())
    with zipfile.ZipFile(code, "a") as archive:
        archive.writestr("dies.py", DIES)
    functions.update_function_code(FunctionName=name, ZipFile=code.getvalue())
    functions.update_function_configuration(FunctionName=name, Handler="dies.handler")


@pytest.mark.usefixtures("dying")
def test_a_function_killed_in_the_middle_of_its_change_ends_in_a_rollback(world: World) -> None:
    function = world.function(concurrency=50)
    incident_id, _ = firing(world, function)
    run_id = world.request(world.alice, incident_id, "test-killed-midway")["run_id"]
    run = eventually(lambda: (r := run_of(world, incident_id))["outcome"] and r, "the run over", seconds=90)
    assert run["outcome"] == "rolled_back", run
    (step,) = run["steps"]
    assert step["undo_summary"] == f"reserved concurrency of function {function}: 7 → 50", "it had been changed"
    assert world.concurrency(function) == 50
    eventually(lambda: world.execution_status("test-killed-midway", run_id) == "FAILED", "a failed execution")
    eventually(lambda: world.told(incident_id, event="PlaybookRolledBack"), "a page of the rollback")
