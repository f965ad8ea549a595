"""Mistakes a compiler could make, seeded into what ours made: each takes one protection away."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Machine = dict[str, Any]
MUTATIONS: dict[str, Callable[[Machine], None]] = {}
"""Each changes a machine, or raises KeyError where it has nothing to take away."""


def mutated(machine: Mapping[str, Any]) -> Iterator[tuple[str, Machine]]:
    """Every mutation that this machine has something for: its name and the machine with it."""
    written = json.dumps(machine)
    for name, mutate in MUTATIONS.items():
        other = json.loads(written)
        try:
            mutate(other)
        except KeyError:
            continue
        yield name, other


def _mutation(mutate: Callable[[Machine], None]) -> Callable[[Machine], None]:
    MUTATIONS[mutate.__name__.removeprefix("_")] = mutate
    return mutate


def _states(machine: Machine) -> dict[str, Any]:
    found: dict[str, Any] = machine["States"]
    return found


def _around(machine: Machine, name: str, to: str | None = None) -> None:
    """Whatever led to `name` leads past it; the state itself is gone."""
    states = _states(machine)
    gone = states.pop(name)
    past = to or gone["Next"]
    for state in states.values():
        for each in (state, *state.get("Choices", ()), *state.get("Catch", ())):
            for key in ("Next", "Default"):
                if each.get(key) == name:
                    each[key] = past


@_mutation
def _drop_the_first_gate(machine: Machine) -> None:
    go = _states(machine)["MayStart"]["Choices"][0]["Next"]
    for name in ("MayStart", "Gate"):
        _around(machine, name, go)


@_mutation
def _ignore_the_first_gate(machine: Machine) -> None:
    may = _states(machine)["MayStart"]
    may["Default"] = may["Choices"][0]["Next"]


@_mutation
def _skip_the_second_gate(machine: Machine) -> None:
    for name in ("SecondGate", "MayAct"):
        _around(machine, name, "Lock")


@_mutation
def _ignore_the_second_gate(machine: Machine) -> None:
    _states(machine)["MayAct"]["Default"] = "Lock"


@_mutation
def _gate_for_another_definition(machine: Machine) -> None:
    _states(machine)["SecondGate"]["Arguments"]["Payload"]["definition"] = "0" * 16


@_mutation
def _skip_the_lock(machine: Machine) -> None:
    go = _states(machine)["Locked"]["Choices"][0]["Next"]
    for name in ("Lock", "Locked"):
        _around(machine, name, go)


@_mutation
def _act_whatever_the_lock_says(machine: Machine) -> None:
    locked = _states(machine)["Locked"]
    locked["Default"] = locked["Choices"][0]["Next"]


@_mutation
def _drop_the_approval(machine: Machine) -> None:
    _around(machine, "Approval", "SecondGate")
    _states(machine).pop("ApprovalEscalated", None)


@_mutation
def _ask_without_waiting(machine: Machine) -> None:
    approval = _states(machine)["Approval"]
    approval["Resource"] = approval["Resource"].removesuffix(".waitForTaskToken")


@_mutation
def _approval_after_the_second_gate(machine: Machine) -> None:
    states = _states(machine)
    states["Approval"]["Next"] = "Lock"
    for catch in states["Approval"]["Catch"]:
        catch["Next"] = "Stop"
    states["MayAct"]["Choices"][0]["Next"] = "Approval"
    states["MayStart"]["Choices"][0]["Next"] = "SecondGate"


@_mutation
def _an_unanswered_approval_goes_to_the_lock(machine: Machine) -> None:
    states = _states(machine)
    states["Approval"]["Catch"][0]["Next"] = "Lock"


@_mutation
def _drop_the_timeout_of_a_task(machine: Machine) -> None:
    del _states(machine)["Step1Apply"]["TimeoutSeconds"]


@_mutation
def _drop_the_timeout_of_an_undo(machine: Machine) -> None:
    del _states(machine)["Undo"]["TimeoutSeconds"]


@_mutation
def _wait_for_ever(machine: Machine) -> None:
    pause = _states(machine)["Step1Pause"]
    del pause["Seconds"]
    pause["Timestamp"] = "9999-01-01T00:00:00Z"


@_mutation
def _a_timeout_of_the_whole_execution(machine: Machine) -> None:
    machine["TimeoutSeconds"] = 3600


@_mutation
def _poll_without_an_end(machine: Machine) -> None:
    del _states(machine)["Step1Record"]["Arguments"]["Payload"]["last"]


@_mutation
def _catch_to_the_end(machine: Machine) -> None:
    _states(machine)["Step1Apply"]["Catch"][-1]["Next"] = "Done"


@_mutation
def _catch_to_succeeded(machine: Machine) -> None:
    _states(machine)["Step1Record"]["Catch"][-1]["Next"] = "Succeeded"


@_mutation
def _catch_and_go_on(machine: Machine) -> None:
    _states(machine)["Step1Apply"]["Catch"][-1]["Next"] = "Step1Confirm"


@_mutation
def _catch_to_settle(machine: Machine) -> None:
    _states(machine)["Step1Confirm"]["Catch"][-1]["Next"] = "Settle"


@_mutation
def _catch_nothing(machine: Machine) -> None:
    del _states(machine)["Step1Snapshot"]["Catch"]


@_mutation
def _catch_timeouts_only(machine: Machine) -> None:
    _states(machine)["Step1Apply"]["Catch"][-1]["ErrorEquals"] = ["States.Timeout"]


@_mutation
def _catch_without_a_way_out(machine: Machine) -> None:
    states = _states(machine)
    states["Shrug"] = {"Type": "Wait", "Seconds": 1, "Next": "Shrug"}
    states["Step1Apply"]["Catch"][-1]["Next"] = "Shrug"


@_mutation
def _end_after_the_apply(machine: Machine) -> None:
    apply = _states(machine)["Step1Apply"]
    del apply["Next"]
    apply["End"] = True


@_mutation
def _done_after_the_apply(machine: Machine) -> None:
    _states(machine)["Step1Apply"]["Next"] = "Done"


@_mutation
def _apply_what_was_not_kept(machine: Machine) -> None:
    _states(machine)["Step1Snapshot"]["Next"] = "Step1Apply"


@_mutation
def _apply_whatever_keep_says(machine: Machine) -> None:
    _states(machine)["Step1Kept"]["Default"] = "Step1Apply"


@_mutation
def _read_an_older_answer(machine: Machine) -> None:
    del _states(machine)["Step1Keep"]["Assign"]["decision"]


@_mutation
def _settle_whatever_was_recorded(machine: Machine) -> None:
    recorded = _states(machine)["Step1Recorded"]
    recorded["Default"] = recorded["Choices"][0]["Next"]


@_mutation
def _leave_a_step_out(machine: Machine) -> None:
    states = _states(machine)
    states["Step1Recorded"]["Choices"][0]["Next"] = "Step3Begin" if "Step3Begin" in states else _no("Step3Begin")


@_mutation
def _settle_without_the_watch(machine: Machine) -> None:
    _around(machine, "WatchPause", "Settle")


@_mutation
def _settle_whatever_the_watch_sees(machine: Machine) -> None:
    _states(machine)["Watched"]["Default"] = "Settle"


@_mutation
def _never_settle(machine: Machine) -> None:
    _around(machine, "Settle", "Succeeded")


@_mutation
def _stop_without_undo(machine: Machine) -> None:
    _states(machine)["Stopped"]["Choices"][0]["Next"] = "Ended"


@_mutation
def _a_gate_before_the_undo(machine: Machine) -> None:
    _states(machine)["Stopped"]["Choices"][0]["Next"] = "SecondGate"


@_mutation
def _undo_nothing(machine: Machine) -> None:
    _states(machine)["UndoMore"]["Choices"][0]["Next"] = "Finish"


@_mutation
def _forget_what_the_undo_came_to(machine: Machine) -> None:
    _states(machine)["Undo"]["Catch"][-1]["Next"] = "UndoNext"


@_mutation
def _a_failed_undo_ends_green(machine: Machine) -> None:
    _states(machine)["Finished"]["Default"] = "Ended"


@_mutation
def _undo_without_finish(machine: Machine) -> None:
    for name in ("Finish", "Finished"):
        _around(machine, name, "Ended")


@_mutation
def _a_dry_run_that_acts(machine: Machine) -> None:
    _states(machine)["MayStart"]["Choices"][1]["Next"] = "Step1Begin"


@_mutation
def _plan_what_was_not_a_dry_run(machine: Machine) -> None:
    may = _states(machine)["MayStart"]
    may["Choices"][0]["Next"] = "PlanNext"


@_mutation
def _a_recovery_that_runs_again(machine: Machine) -> None:
    states = _states(machine)
    states["Mode"]["Choices"].append({"Condition": states["Mode"]["Choices"][0]["Condition"], "Next": "Resume"})
    states["Mode"]["Default"] = "Gate"


@_mutation
def _a_restore_that_starts_with_the_steps(machine: Machine) -> None:
    _states(machine)["Resumed"]["Choices"][0]["Next"] = "Gate"


@_mutation
def _act_though_redriven(machine: Machine) -> None:
    _, apply = _of(machine, "Apply")
    apply["Arguments"]["Payload"]["redriven"] = False


@_mutation
def _a_state_nobody_reaches(machine: Machine) -> None:
    _states(machine)["Island"] = {"Type": "Pass", "Next": "Done"}


@_mutation
def _a_way_to_nowhere(machine: Machine) -> None:
    _states(machine)["Settle"]["Next"] = "Nowhere"


@_mutation
def _go_on_whatever_the_branches_came_to(machine: Machine) -> None:
    _, joined = _of(machine, "Joined")
    joined["Default"] = joined["Choices"][0]["Next"]


@_mutation
def _never_join(machine: Machine) -> None:
    name, joined = _of(machine, "Joined")
    _around(machine, name.removesuffix("ed"), name)
    _around(machine, name, joined["Choices"][0]["Next"])


@_mutation
def _join_some_of_the_branches(machine: Machine) -> None:
    _, join = _of(machine, "Join")
    join["Arguments"]["Payload"]["steps"].pop()


@_mutation
def _drop_a_branch(machine: Machine) -> None:
    _parallel(machine)["Branches"].pop()


@_mutation
def _a_branch_that_catches_nothing(machine: Machine) -> None:
    branch = _parallel(machine)["Branches"][0]["States"]
    del next(state for state in branch.values() if state["Type"] == "Task")["Catch"]


@_mutation
def _a_branch_whose_errors_go_on(machine: Machine) -> None:
    branch = _parallel(machine)["Branches"][0]["States"]
    tasks = [(name, state) for name, state in branch.items() if state["Type"] == "Task" and "Step" in name]
    tasks[0][1]["Catch"][-1]["Next"] = tasks[-1][0]


@_mutation
def _a_failed_parallel_goes_on(machine: Machine) -> None:
    parallel = _parallel(machine)
    parallel["Catch"][-1]["Next"] = _states(machine)[f"{parallel['Next']}ed"]["Choices"][0]["Next"]


@_mutation
def _nobody_need_confirm(machine: Machine) -> None:
    _, answered = _of(machine, "Answered")
    answered["Default"] = answered["Choices"][0]["Next"]


@_mutation
def _unconfirmed_is_done(machine: Machine) -> None:
    name, manual = _of(machine, "Manual")
    manual["Catch"][0]["Next"] = _states(machine)[f"{name.removesuffix('Manual')}Answered"]["Choices"][0]["Next"]


@_mutation
def _wait_whatever_says_stop(machine: Machine) -> None:
    _, idled = _of(machine, "Idled")
    idled["Default"] = idled["Choices"][0]["Next"]


@_mutation
def _wait_again_and_again(machine: Machine) -> None:
    _, idle = _of(machine, "Idle")
    del idle["Arguments"]["Payload"]["last"]


def _of(machine: Machine, ending: str) -> tuple[str, dict[str, Any]]:
    """The first state outside of branches whose name ends so."""
    found = next(((name, state) for name, state in _states(machine).items() if name.endswith(ending)), None)
    return found or (ending, _no(ending))


def _parallel(machine: Machine) -> dict[str, Any]:
    found = next((state for state in _states(machine).values() if state["Type"] == "Parallel"), None)
    return found or _no("Parallel")


def _no(name: str) -> Any:
    raise KeyError(name)
