"""What holds for every path of every machine the compiler makes."""

import itertools
import json
import re
from hashlib import sha256
from typing import Any

import pytest

from incidentio.core.playbook import COMPILER_VERSION, Playbook
from incidentio.core.steps import Leaf, Manual, Step
from infra.compiler import UnfitPlaybook, action_timeout, compile_playbook
from infra.compiler.graph import Graph
from infra.documents import load_playbooks
from infra.options import ROOT

CONTROL, ACTION = "arn:control", "arn:action"
ACTING = ("snapshot", "apply", "verify")


def playbook(**changes: Any) -> Playbook:
    return Playbook.model_validate(
        {
            "name": "throttle-function",
            "version": "1.2.0",
            "owner": "platform",
            "risk": "disruptive",
            "parameters": {"limit": {"type": "integer", "minimum": 1, "default": 10}},
            "targets": {"type": "AWS::Lambda::Function"},
            "steps": [{"action": "set-reserved-concurrency", "with": {"value": "${limit}"}}],
            **changes,
        }
    )


def variants() -> list[Playbook]:
    steps = [{"action": "a"}, {"action": "b", "timeout": "2m"}, {"action": "c"}]
    return [
        playbook(risk=risk, steps=steps[:n], verify=verify, approval={"on_timeout": on_timeout})
        for risk, n, verify, on_timeout in itertools.product(
            ("read_only", "safe", "disruptive", "destructive"), (1, 3), (None, {"within": "5m"}), ("refuse", "escalate")
        )
    ]


RULE = {"action": "disable-rule", "with": {"rule": "loop"}}
EVERYTHING: dict[str, Any] = {
    "targets": {"type": "AWS::Lambda::Function", "max": {"count": 2}},
    "steps": [
        {"id": "rule", **RULE, "if": ['limit!="0"']},
        {"wait": "45s", "if": ['severity="SEV1"']},
        {"manual": "Tell the shop", "commands": ["echo shop"], "undo": ["echo sorry"], "timeout": "5m"},
        {"parallel": [[RULE, {"wait": "10s"}], [{"wait": "5s"}, RULE]]},
        {"foreach": ["a", "b"], "steps": [{"action": "disable-rule", "with": {"rule": "loop-${item}"}}]},
        {
            "foreach": "targets",
            "steps": [
                {"action": "set-reserved-concurrency", "with": {"value": "${limit}"}, "retries": 8},
                {"manual": "Look at it"},
            ],
        },
    ],
}
"""Every kind of step, in every place it may stand in."""


def languages() -> list[Playbook]:
    """Playbooks whose steps are not just one after the other."""
    steps = EVERYTHING["steps"]
    return [
        playbook(**EVERYTHING, risk=risk, verify=verify, name=name)
        for risk, verify, name in (("safe", {}, "everything"), ("destructive", None, "everything-asked"))
    ] + [playbook(**EVERYTHING | {"steps": each}) for step in steps for each in ([RULE, step], [step, RULE])]


def shipped() -> list[Playbook]:
    """The library and the playbooks of the e2e tests."""
    return [*load_playbooks(ROOT / "playbooks", ROOT / "tests" / "e2e" / "playbooks").values()]


@pytest.fixture(
    params=[*variants(), *languages(), *shipped()],
    ids=lambda p: f"{p.name}-{p.risk}-{len(p.steps)}-{bool(p.verify)}-{p.approval.on_timeout}",
)
def compiled(request: pytest.FixtureRequest) -> tuple[Playbook, Graph]:
    return request.param, Graph(compile_playbook(request.param, control_arn=CONTROL, action_arn=ACTION))


def test_every_transition_leads_to_a_state_and_every_state_is_reached(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    assert graph.reachable(graph.start) == set(graph.states)


def numbers(book: Playbook) -> list[int]:
    """Of the steps that are actions."""
    return [leaf.n for leaf in book.leaves if isinstance(leaf.step, Step)]


def beside(book: Playbook) -> set[int]:
    """Numbers of steps that have others beside them."""
    return {leaf.n for block in book.blocks if not isinstance(block, Leaf) for branch in block for leaf in branch}


def test_nothing_acts_without_both_gates_the_approval_and_the_lock(compiled: tuple[Playbook, Graph]) -> None:
    book, graph = compiled
    acting = graph.calling(ACTION, *ACTING)
    assert len(acting) == 3 * len(book.steps)
    required = {"Gate", "SecondGate", "Lock"} | ({"Approval"} if book.risk.approvals else set())
    for state in required:
        assert not graph.reachable(graph.start, without={state}) & acting, f"acts without {state}"


def test_a_person_is_waited_for_exactly_when_the_risk_asks_for_it(compiled: tuple[Playbook, Graph]) -> None:
    book, graph = compiled
    waits = {n for n, s in graph.of_type("Task").items() if s["Resource"].endswith(".waitForTaskToken")}
    waits -= {f"Step{leaf.n}Manual" for leaf in book.leaves if isinstance(leaf.step, Manual)}
    expected = {"Approval"} if book.risk.approvals else set()
    if expected and book.approval.on_timeout == "escalate":
        expected.add("ApprovalEscalated")
    assert waits == expected


def test_the_second_gate_comes_after_the_approval(compiled: tuple[Playbook, Graph]) -> None:
    book, graph = compiled
    if book.risk.approvals:
        assert "Lock" not in graph.reachable("Approval", without={"SecondGate"})


def test_a_step_is_snapshot_kept_then_applied_then_confirmed_and_recorded(compiled: tuple[Playbook, Graph]) -> None:
    book, graph = compiled
    for n in numbers(book):
        for before in ("Begin", "Snapshot", "Keep"):
            assert f"Step{n}Apply" not in graph.reachable(graph.start, without={f"Step{n}{before}"})
        # Beside others, its branch ends all the same, and the join decides (infra/compiler/proof.py).
        for after in () if n in beside(book) else ("Confirm", "Record"):
            assert "Succeeded" not in graph.reachable(f"Step{n}Apply", without={f"Step{n}{after}"})


def test_nothing_applied_ends_without_verification_or_undo(compiled: tuple[Playbook, Graph]) -> None:
    book, graph = compiled
    ends = set(graph.of_type("Succeed")) | set(graph.of_type("Fail"))
    for apply in graph.calling(ACTION, "apply"):
        if graph.payload(apply)["step"] in beside(book):
            continue
        n = re.sub(r"\D", "", apply)
        # `Stopped` ends only what control says is over already.
        reached = graph.reachable(apply, without={f"Step{n}Confirm", "UndoNext", "Ended"}) & ends
        # The envelope itself failing is what the recovery rule (FAILED executions) is for.
        assert reached <= {"Broken"}
    if book.verify:
        assert "Succeeded" not in graph.reachable(graph.start, without={"Watch"})


def test_once_something_may_have_been_applied_the_run_is_never_called_refused(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    if "Step1Apply" in graph.states:
        assert "Refused" not in graph.reachable("Step1Apply")


def test_every_caught_error_leads_to_the_undo_or_a_failed_execution(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    for name, task in graph.of_type("Task").items():
        *earlier, last = task["Catch"]
        assert last["ErrorEquals"] == ["States.ALL"], name
        branch = re.fullmatch(r"Branch(\d+)(Halt|End)", last["Next"])
        assert branch or last["Next"] in {"Stop", "UndoRecord", "Broken"}, name
        for catch in earlier:
            unclear = graph.states[catch["Next"]]["Type"] == "Wait" and graph.states[catch["Next"]]["Next"] in (
                "Stop",
                last["Next"],
            )
            assert unclear or catch["ErrorEquals"] == ["States.Timeout"], name
        assert "UndoNext" in graph.reachable(last["Next"]) or last["Next"] == "Broken"
    assert graph.states["Broken"]["Type"] == "Fail"
    assert graph.states["RolledBack"]["Type"] == "Fail"


def test_no_stop_and_no_kill_switch_stands_before_an_undo(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    undo = graph.reachable("Resume")
    assert "Undo" in undo
    assert not undo & graph.calling(CONTROL, "gate", "ask", "lock", "begin", "watch", "settle")
    assert not undo & graph.calling(ACTION, *ACTING)


def test_the_undo_loop_only_goes_down(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    assert graph.states["UndoRecord"]["Assign"]["below"] == "{% $undo.step %}"
    assert graph.states["UndoNext"]["Arguments"]["Payload"]["below"] == "{% $below %}"


def test_every_task_and_wait_is_bounded_and_nothing_bounds_the_execution(compiled: tuple[Playbook, Graph]) -> None:
    book, graph = compiled
    assert "TimeoutSeconds" not in graph.machine
    for name, task in graph.of_type("Task").items():
        assert 0 < task["TimeoutSeconds"] <= max(1800, action_timeout(book) + 10), name
    for wait in graph.of_type("Wait").values():
        assert wait["Seconds"] >= 1
    for name in graph.calling(ACTION):
        assert graph.states[name]["TimeoutSeconds"] > action_timeout(book), "the function ends before its task does"


def test_only_transient_errors_are_retried_with_jitter(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    for name in graph.of_type("Task").keys() - graph.calling(ACTION, "apply", "rollback"):
        (retry,) = graph.states[name]["Retry"]
        assert not [e for e in retry["ErrorEquals"] if e.startswith("States.")]
        assert retry["JitterStrategy"] == "FULL"
        assert retry["MaxDelaySeconds"] <= 60
        assert retry["MaxAttempts"] <= 8


def test_two_applies_are_never_at_work_together_and_none_overtakes_its_undo(compiled: tuple[Playbook, Graph]) -> None:
    book, graph = compiled
    for name in graph.calling(ACTION, "apply"):
        soon, late = graph.states[name]["Retry"]
        assert set(soon["ErrorEquals"]) == {"Lambda.TooManyRequestsException", "Unavailable"}, (
            "it is over, or never was"
        )
        assert late["IntervalSeconds"] > action_timeout(book)
        assert late["BackoffRate"] >= 1
        assert "JitterStrategy" not in late, "which could make it any shorter"
        unclear, _ = graph.states[name]["Catch"]
        assert unclear["ErrorEquals"] == late["ErrorEquals"]
        assert graph.states[unclear["Next"]]["Seconds"] > action_timeout(book)
    assert graph.states["Unclear"]["Seconds"] > action_timeout(book)


def test_giving_back_is_tried_hardest(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    (retry,) = graph.states["Undo"]["Retry"]
    assert (retry["ErrorEquals"], retry["MaxAttempts"]) == (["States.ALL"], 8)


def test_tokens_go_to_the_table_only(compiled: tuple[Playbook, Graph]) -> None:
    _, graph = compiled
    for name in graph.of_type("Task"):
        with_token = "Task.Token" in json.dumps(graph.states[name])
        assert with_token == (name.startswith("Approval") or name.endswith("Manual"))
        assert name not in graph.calling(ACTION) or not with_token


def test_a_dry_run_only_plans() -> None:
    graph = Graph(compile_playbook(playbook(), control_arn=CONTROL, action_arn=ACTION))
    planning = graph.reachable("PlanNext", without={"Stop"})
    assert planning == {"PlanNext", "PlanMore", "Plan", "Planned", "Done"}


def test_the_same_playbook_gives_the_same_bytes() -> None:
    book = playbook(verify={}, approval={"on_timeout": "escalate"})
    first, again = (json.dumps(compile_playbook(book, control_arn=CONTROL, action_arn=ACTION)) for _ in range(2))
    assert first == again
    assert book.definition_hash in first
    assert len(first) < 60_000


def test_a_borrowed_change_is_paced_like_the_polls() -> None:
    def borrowed(pace: float, **changes: Any) -> int:
        machine = compile_playbook(playbook(**changes), control_arn=CONTROL, action_arn=ACTION, pace=pace)
        return machine["States"]["Settle"]["Arguments"]["Payload"]["borrow_seconds"]

    assert borrowed(1.0, revert={"at_latest": "4h"}) == 14400
    assert borrowed(0.1, revert={"at_latest": "4h"}) == 1440
    assert borrowed(1.0) == 0


def test_pace_shortens_polls_and_leaves_timeouts_and_approvals_alone() -> None:
    book = playbook(verify={"within": "10m", "poll": "15s"}, approval={"timeout": "10m"})
    real, fast = (
        Graph(compile_playbook(book, control_arn=CONTROL, action_arn=ACTION, pace=pace)) for pace in (1.0, 0.02)
    )
    assert real.states["WatchPause"]["Seconds"] == 15
    assert fast.states["WatchPause"]["Seconds"] == 1
    assert ">= 40 %" in real.states["Watch"]["Arguments"]["Payload"]["last"]
    assert ">= 12 %" in fast.states["Watch"]["Arguments"]["Payload"]["last"]
    for name, task in real.of_type("Task").items():
        assert task["TimeoutSeconds"] == fast.states[name]["TimeoutSeconds"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": [{"action": "a", "timeout": "2h"}]}, r"steps\[0\].timeout: 2h: use 1s to 15m"),
        ({"verify": {"within": "10h", "poll": "1s"}}, "poll less often"),
        ({"approval": {"timeout": "0s"}}, "approval.timeout: 0s: use 1s to 7d"),
        ({"steps": [RULE, {"wait": "61m"}]}, "1s to 1h"),
        ({"steps": [RULE, {"manual": "x", "timeout": "2d"}]}, "1s to 1d"),
        ({"steps": [{"foreach": list(range(16)), "steps": [RULE, RULE]}]}, "at most 30"),
        ({"steps": [{"action": "a", "timeout": "15m"}] * 8, "verify": {"within": "1h"}}, "shorter or fewer"),
    ],
)
def test_what_one_execution_cannot_hold_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnfitPlaybook, match=message):
        compile_playbook(playbook(**changes), control_arn=CONTROL, action_arn=ACTION)


def test_another_machine_from_the_same_playbook_is_another_definition() -> None:
    """What was approved is a hash: when the compiler changes its output, COMPILER_VERSION moves, and this with it."""
    book = playbook(verify={}, risk="destructive", approval={"on_timeout": "escalate"})
    machine = compile_playbook(book, control_arn=CONTROL, action_arn=ACTION)
    text = json.dumps(machine).replace(book.definition_hash, "")
    assert (COMPILER_VERSION, sha256(text.encode()).hexdigest()[:16]) == ("5", "d64ad1e815b08e0b")
