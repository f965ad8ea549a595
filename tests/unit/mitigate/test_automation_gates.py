"""Tags that allow automation, circuit breakers, and hands-off that holds."""

from typing import Any

import pytest

from incidentio.core.errors import Forbidden, NotFound, Unavailable
from incidentio.core.incident import Status
from incidentio.core.person import SYSTEM
from incidentio.core.signal import Kind
from incidentio.mitigate.actions.look_at_function import LookAtFunction
from incidentio.mitigate.breaker import TRIPS_AT, scope_of
from incidentio.mitigate.keys import LEASES, lock_key, switch_key
from incidentio.mitigate.switches import check_scope, set_hands_off, set_switch, switches
from tests.make import ALICE, opened
from tests.unit.mitigate.stage import TARGET, TWO_STEPS, Stage, killed

SAFE: dict[str, Any] = {"risk": "safe"}
ONLY = {"targets": {"type": "AWS::Lambda::Function", "only_allowed": True}}
TAG = "incidentio:automation"


@pytest.mark.parametrize(
    ("changes", "catalog", "tags", "why"),
    [
        ({}, {}, {}, None),
        ({}, {}, {TAG: "allowed"}, None),
        ({}, {}, {TAG: "no"}, "carries the tag incidentio:automation=no"),
        ({}, {}, {TAG: ""}, "carries the tag incidentio:automation="),
        (ONLY, {}, {}, "does not carry the tag incidentio:automation=allowed"),
        (ONLY, {}, {TAG: "allowed"}, None),
        (ONLY, {}, {TAG: "Allowed"}, "carries the tag incidentio:automation=Allowed"),
        ({}, {"services": {"checkout": {"automation": {"only_allowed": True}}}}, {}, "does not carry the tag"),
        ({}, {"services": {"checkout": {"automation": {"only_allowed": True}}}}, {TAG: "allowed"}, None),
        ({}, {"services": {"orders": {"automation": {"only_allowed": True}}}}, {}, None),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_tag_says_whether_automation_may(
    changes: dict[str, Any], catalog: dict[str, Any], tags: dict[str, str], why: str | None, dry_run: bool
) -> None:
    stage = Stage({**SAFE, **changes}, catalog=catalog)
    stage.estate.tags = tags
    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    run = stage.request(dry_run=dry_run)
    stage.play()
    done = stage.run(run)
    assert done.outcome == ("refused" if why else "planned" if dry_run else "succeeded")
    assert (why or "") in done.reason
    assert bool(stage.estate.writes) == (not why and not dry_run)


def test_an_undo_does_not_ask_for_the_tag() -> None:
    stage = Stage({**SAFE, **ONLY})
    stage.estate.tags = {TAG: "allowed"}
    stage.waits = lambda _: setattr(stage.estate, "tags", {TAG: "no"})
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)


def fails(stage: Stage, **request: Any) -> None:
    stage.request(**request)
    stage.play()
    stage.clock.advance(hours=2)


AUTO = {"services": {"checkout": {"automation": {"auto": ["throttle-function"], "propose": ["*"]}}}}


def triaged(stage: Stage) -> None:
    entries = stage.table.entries[stage.incident.id]
    stage.change()
    entries[-1] = entries[-1].model_copy(update={"type": "IncidentTriaged"})
    stage.play()


def test_a_breaker_opens_after_failures_in_a_row_and_people_close_it() -> None:
    stage = Stage({**SAFE, "revert": None}, catalog=AUTO, proposed=("throttle-function",))
    for _ in range(TRIPS_AT - 1):
        fails(stage)
    assert switches(stage.table, stage.bundle) == []
    fails(stage)
    assert stage.types.count("CircuitOpened") == 1
    assert "hands-off breaker#throttle-function off" in stage.text("CircuitOpened")
    (shown,) = switches(stage.table, stage.bundle)
    assert (shown["scope"], shown["on"]) == ("breaker#throttle-function", True)

    triaged(stage)
    assert "its circuit breaker is open: 3 runs in a row were undone" in stage.text("AutomationHeld")
    run = stage.request(actor=SYSTEM, seed="crossed")
    stage.play()
    assert "circuit breaker" in stage.run(run).reason

    stage.waits = lambda _: stage.incident.firing and stage.recovered()
    asked = stage.request()
    stage.play()
    assert stage.run(asked).status == "succeeded", "a person may"
    assert switches(stage.table, stage.bundle)[0]["on"], "and that alone closes nothing"

    scope = check_scope(stage.table, stage.bundle, "breaker#throttle-function")
    set_switch(stage.table, scope, False, ALICE, "looked at", now=stage.clock())
    assert not switches(stage.table, stage.bundle)[0]["on"]
    stage.change(firing=1)
    stage.waits = lambda _: None
    fails(stage, parameters={"limit": 3})
    assert stage.table.records[switch_key(scope)]["failures"] == 1


def test_a_success_begins_the_count_anew() -> None:
    stage = Stage({**SAFE, "revert": None})
    for _ in range(2):
        fails(stage)
    stage.waits = lambda _: stage.change(firing=0)
    fails(stage)
    stage.waits = lambda _: stage.change(firing=1)
    for _ in range(2):
        fails(stage)
    assert "CircuitOpened" not in stage.types
    assert stage.table.records[switch_key(scope_of("throttle-function"))]["failures"] == 2


@pytest.mark.parametrize("scope", ["incident", "global"])
def test_hands_off_that_holds_keeps_what_is_changed_as_a_loan(scope: str) -> None:
    stage = Stage({**TWO_STEPS, **SAFE})

    def hands_off() -> None:
        if scope == "incident":
            set_hands_off(stage.table, stage.incident.id, True, ALICE, "mine", now=stage.clock(), hold=True)
        else:
            set_switch(stage.table, "global", True, ALICE, "mine", now=stage.clock(), hold=True)

    stage.at["Step2Snapshot"] = hands_off
    run = stage.request("two-steps")
    stage.play()
    done = stage.run(run)
    assert (done.status, stage.estate.rule, stage.estate.reserved) == ("held", "DISABLED", 50)
    assert stage.executions.results[run.run_id] == {"outcome": "held", "run_id": run.run_id}
    assert (stage.incident.open_leases, stage.table.records[lock_key(TARGET)]["run_id"]) == (1, run.run_id)
    assert f"incidentio playbooks restore {run.run_id}" in stage.text("PlaybookHeld")

    stage.change(status=Status.RESOLVED)
    stage.play()
    stage.sweep()
    stage.play()
    assert (stage.run(run).lease.status, stage.estate.rule) == ("restored", "ENABLED")
    assert stage.incident.open_leases == 0
    assert not [key for key in stage.table.records if key.pk == LEASES or key == lock_key(TARGET)]


@pytest.mark.parametrize("other", ["switch", "parameter"])
def test_one_stop_that_does_not_hold_is_enough_to_give_back(other: str) -> None:
    stage = Stage(SAFE)

    def stops() -> None:
        set_hands_off(stage.table, stage.incident.id, True, ALICE, "mine", now=stage.clock(), hold=True)
        if other == "switch":
            set_switch(stage.table, "global", True, ALICE, "all of it", now=stage.clock())
        else:
            stage.parameter = "on"

    stage.at["Watch"] = stops
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("rolled_back", 50)


def test_a_hold_that_is_released_holds_no_more() -> None:
    stage = Stage(SAFE)
    for on in (True, False):
        set_hands_off(stage.table, stage.incident.id, on, ALICE, "", now=stage.clock(), hold=on)
    assert not stage.incident.hands_off_holds
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rolled_back"


def test_nothing_is_held_of_a_run_that_changed_nothing() -> None:
    stage = Stage(SAFE)
    stage.at["Step1Keep"] = lambda: set_hands_off(
        stage.table, stage.incident.id, True, ALICE, "mine", now=stage.clock(), hold=True
    )
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "refused"


def test_a_dead_execution_of_a_run_that_is_held_stays_as_it_is_too() -> None:
    stage = Stage(SAFE)

    def dies() -> None:
        set_hands_off(stage.table, stage.incident.id, True, ALICE, "mine", now=stage.clock(), hold=True)
        killed()

    stage.at["Step1Confirm"] = dies
    run = stage.request()
    stage.play()
    assert (stage.run(run).status, stage.estate.reserved) == ("held", 10)
    assert stage.executions.statuses[f"{run.run_id}-recover-1"] == "SUCCEEDED"


@pytest.mark.parametrize("trouble", [Unavailable("SSM is down"), NotFound("no such parameter"), Forbidden("no rights")])
@pytest.mark.parametrize("hold", [False, True])
def test_an_undo_waits_for_no_parameter(trouble: Exception, hold: bool) -> None:
    stage = Stage(SAFE)

    def stops() -> None:
        stage.parameter = trouble
        if hold:
            set_hands_off(stage.table, stage.incident.id, True, ALICE, "mine", now=stage.clock(), hold=True)

    stage.at["Watch"] = stops
    run = stage.request()
    stage.play()
    assert stage.run(run).status == ("held" if hold else "rolled_back")


def test_drills_do_not_open_a_breaker() -> None:
    stage = Stage(SAFE, kind=Kind.DRILL)
    for _ in range(TRIPS_AT):
        fails(stage)
    assert "CircuitOpened" not in stage.types


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("dies", [False, True])
def test_a_run_that_only_looks_has_nothing_to_hold(monkeypatch: pytest.MonkeyPatch, hold: bool, dies: bool) -> None:
    monkeypatch.setattr(LookAtFunction, "facts", lambda _self, _call: ("fine",))
    looks = {"name": "look-twice", "risk": "read_only", "steps": [{"action": "look-at-function"}] * 2}
    stage = Stage({**looks, "verify": None, "revert": None, "parameters": {}})

    def stops() -> None:
        set_switch(stage.table, "global", True, ALICE, "night", now=stage.clock(), hold=hold)
        if dies:
            killed()

    stage.at["Step2Snapshot"] = stops
    run = stage.request("look-twice")
    stage.play()
    assert (stage.run(run).status, stage.incident.open_leases) == ("rolled_back", 0)
    told = [entry.text for entry in stage.table.entries[stage.incident.id] if entry.type == "PlaybookRolledBack"]
    assert [text.partition(":")[0] for text in told] == ["look-twice on checkout only looked, and was stopped"]
    assert lock_key(TARGET) not in stage.table.records


@pytest.mark.parametrize(("own_holds", "status"), [(True, "held"), (False, "rolled_back"), (None, "held")])
def test_a_hold_on_either_of_two_merged_incidents_counts_unless_one_does_not_hold(
    own_holds: bool | None, status: str
) -> None:
    """`own_holds`: what the switch of the run's own service says; None: that of the other one alone is on."""
    stage = Stage({**TWO_STEPS, **SAFE})

    def stops() -> None:
        stage.table.commit(opened(id="INC-00000B", firing=1, members=1, service="shop"))
        stage.change(status=Status.MERGED, merged_into="INC-00000B", firing=0)
        if own_holds is not None:
            set_switch(stage.table, "service#checkout", True, ALICE, "", now=stage.clock(), hold=own_holds)
        if not own_holds:
            set_switch(stage.table, "service#shop", True, ALICE, "", now=stage.clock(), hold=True)

    stage.at["Step2Snapshot"] = stops
    run = stage.request("two-steps")
    stage.play()
    assert stage.run(run).status == status
