"""Approvals, playbooks, hands-off and postmortems."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from incidentio.cli.errors import CallRefusedError
from tests.unit.cli.conftest import ScriptedApi, incident

Run = Callable[..., Result]
APPROVAL: dict[str, Any] = {
    "id": "APR-7K3F9A-0123456789ABCDEFGHJK7",
    "status": "pending",
    "playbook": "throttle-function",
    "version": "1.0.0",
    "risk": "disruptive",
    "target": "AWS::Lambda::Function|1|eu-west-1|checkout",
    "requested_at": "2026-11-23T08:00:00.000Z",
    "expires_at": "2026-11-23T08:10:00.000Z",
}


def test_approvals_of_every_open_incident_are_listed(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents"] = {"items": [incident()], "next": None}
    decided = {**APPROVAL, "status": "approved", "id": "APR-7K3F9A-OLD"}
    api.answers["GET", "/incidents/INC-7K3F9A/approvals"] = {"items": [APPROVAL, decided], "next": None}
    shown = run("approvals", "list").stdout
    assert "APR-7K3F9A-0123456789ABCDEFGHJK7" in shown
    assert "checkout" in shown
    assert "APR-7K3F9A-OLD" not in shown
    assert "APR-7K3F9A-OLD" in run("approvals", "list", "7k3f9a", "--all").stdout


def test_what_asks_for_hands_says_what_to_do(run: Run, api: ScriptedApi) -> None:
    asked = {**APPROVAL, "kind": "manual", "note": "Tell the shop", "commands": ["echo down"]}
    api.answers["GET", "/incidents/INC-7K3F9A/approvals"] = {"items": [asked], "next": None}
    shown = run("approvals", "list", "INC-7K3F9A").stdout
    assert "by hand" in shown
    assert f"{APPROVAL['id']}: Tell the shop\n  echo down\n" in shown


def test_hands_off_may_hold(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/hands-off"] = {"scope": "global", "on": True}
    run("hands-off", "all", "on", "--hold", "--reason", "mine")
    assert api.asked[0].body == {"scope": "all", "on": True, "reason": "mine", "hold": True}


@pytest.mark.parametrize(("scope", "says"), [("service#checkout", True), ("playbook#checkout", False)])
def test_stopping_a_service_says_which_runs_that_means(run: Run, api: ScriptedApi, scope: str, says: bool) -> None:
    api.answers["POST", "/hands-off"] = {"scope": scope, "on": True}
    assert ("only tags or ARN patterns" in run("hands-off", "checkout", "on", "--reason", "mine").stderr) == says


def test_where_automation_is_stopped_is_listed(run: Run, api: ScriptedApi) -> None:
    on = {"scope": "breaker#throttle-function", "on": True, "by": "system", "reason": "3 runs in a row", "at": None}
    api.answers["GET", "/hands-off"] = {"items": [on, {**on, "scope": "playbook#other", "on": False}], "next": None}
    shown = run("hands-off").stdout
    assert "breaker#throttle-function" in shown
    assert "3 runs in a row" in shown
    assert "other" not in shown


@pytest.mark.parametrize("typed", [("all",), ("all", "on"), ("all", "off", "--reason", "")])
def test_stopping_wants_a_state_and_a_reason(run: Run, api: ScriptedApi, typed: tuple[str, ...]) -> None:
    result = run("hands-off", *typed)
    assert result.exit_code == 2
    assert "say on or off, and why" in result.stderr
    assert api.asked == []


def test_approve_sends_the_decision(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", f"/approvals/{APPROVAL['id']}"] = {**APPROVAL, "status": "approved"}
    result = run("approvals", "approve", APPROVAL["id"].lower(), "-m", "go")
    assert api.asked[0].body == {"decision": "approve", "reason": "go"}
    assert result.stdout == f"{APPROVAL['id']} is approved: throttle-function on checkout\n"


def test_a_replayed_decision_is_refused_in_one_line(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", f"/approvals/{APPROVAL['id']}"] = CallRefusedError(
        "it is approved", status=410, error_code="gone"
    )
    result = run("approvals", "reject", APPROVAL["id"])
    assert (result.exit_code, result.stderr) == (1, "incidentio: it is approved\n")


@pytest.mark.parametrize("typed", ["APR-7K3F9A-…", "APR-7K3F9A", "INC-7K3F9A", ""])
def test_what_is_no_approval_id_is_not_sent(run: Run, api: ScriptedApi, typed: str) -> None:
    result = run("approvals", "reject", typed)
    assert (result.exit_code, result.stderr.count("\n"), api.asked) == (1, 1, [])
    assert "is not an approval id" in result.stderr


def test_playbooks_are_listed(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/playbooks"] = {
        "items": [
            {
                "name": "throttle-function", "version": "1.0.0", "risk": "disruptive", "approvals": 1,
                "target_type": "AWS::Lambda::Function", "parameters": {"limit": {}}, "description": "Caps it.",
                **TRACK,
            }
        ],
        "next": None,
    }  # fmt: skip
    line = run("playbooks", "list").stdout.splitlines()[1]
    assert line.split() == [
        "throttle-function", "1.0.0", "disruptive", "Lambda::Function", "limit", "66.7", "%", "search", "Caps", "it."
    ]  # fmt: skip


def test_how_a_playbook_did_is_shown(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/playbooks"] = {"items": [{"name": "throttle-function", **TRACK}], "next": None}
    past = {
        "run_id": "RUN-7K3F9A-0", "at": "2026-11-23T08:00:02.000Z", "incident_id": "INC-7K3F9A", "service": "shop",
        "version": "1.0.0", "outcome": "rolled_back", "reason": "it did not help",
        "kind": "real", "dry_run": False,
    }  # fmt: skip
    tried = {**past, "dry_run": True, "outcome": "planned", "reason": ""}
    others = [{**past, "outcome": "awaiting_approval", "reason": ""}, tried, {**tried, "kind": "drill"}]
    api.answers["GET", "/playbooks/throttle-function/history?limit=20"] = {"items": [*others, past], "next": None}
    shown = run("playbooks", "history", "throttle-function").stdout
    assert "1.0.0    0123456789abcdef  2          1            0                0        66.7 %" in shown
    assert "last dry run that would have worked for shop on checkout at 2026-11-23 08:00:02Z\n" in shown
    assert "stale: it was never rehearsed for search\n" in shown
    assert "RUN-7K3F9A-0  run        2026-11-23 08:00:02Z  INC-7K3F9A  shop     1.0.0    rolled back" in shown
    assert "RUN-7K3F9A-0  run        2026-11-23 08:00:02Z  INC-7K3F9A  shop     1.0.0    awaiting approval" in shown
    assert "RUN-7K3F9A-0  dry run    " in shown
    assert "RUN-7K3F9A-0  rehearsal  " in shown


@pytest.mark.parametrize(("status", "code"), [("planned", 0), ("refused", 1)])
def test_a_rehearsal_is_waited_for(run: Run, api: ScriptedApi, status: str, code: int) -> None:
    api.answers["POST", "/playbooks/throttle-function/rehearsals"] = {
        **RUN, "incident_id": "INC-7K3F9A", "status": "requested",
    }  # fmt: skip
    ended = {**RUN, "status": status, "finished_at": "2026-11-23T08:00:02.000Z", "plan": []}
    api.answers["GET", "/incidents/INC-7K3F9A"] = {"runs": [ended]}
    result = run("playbooks", "rehearse", "throttle-function", "--service", "shop", "--target", "checkout")
    assert result.exit_code == code
    assert api.asked[0].body == {"service": "shop", "target": "checkout", "parameters": {}}
    assert result.stdout == f"RUN-7K3F9A-0: {status}, nothing was changed\n"
    assert ("a ticket about it is open for shop" in result.stderr) == bool(code)


TRACK: dict[str, Any] = {
    "success_rate": 66.7,
    "versions": [
        {
            "version": "1.0.0", "definition_hash": "0123456789abcdef", "succeeded": 2, "rolled_back": 1,
            "rollback_failed": 0, "refused": 0, "success_rate": 66.7, "last_at": "2026-11-23T08:00:02.000Z",
        }
    ],
    "rehearsals": [
        {"service": "shop", "automatic": True, "at": "2026-11-23T08:00:02.000Z", "target": "checkout", "dry_run": True,
         "stale": None},
        {"service": "search", "automatic": True, "at": None, "target": None, "dry_run": False,
         "stale": "it was never rehearsed for search"},
    ],
}  # fmt: skip


RUN: dict[str, Any] = {
    "id": "RUN-7K3F9A-0",
    "status": "awaiting_approval",
    "playbook": "throttle-function",
    "version": "1.0.0",
    "target": "AWS::Lambda::Function|1|eu-west-1|checkout",
    "reason": "",
    "approvals_needed": 1,
    "break_glass": "",
    "finished_at": None,
    "plan": [],
}
ASK = ("POST", "/incidents/INC-7K3F9A/playbooks/throttle-function")


def test_a_run_carries_target_and_parameters(run: Run, api: ScriptedApi) -> None:
    api.answers[ASK] = RUN
    parameters = ["--param", "limit=5", "--param", "why=a=b"]
    result = run("playbooks", "run", "7k3f9a", "throttle-function", "--target", "checkout", *parameters)
    assert api.asked[0].body == {"parameters": {"limit": 5, "why": "a=b"}, "target": "checkout"}
    assert result.stdout == "RUN-7K3F9A-0 is awaiting approval: throttle-function 1.0.0 on checkout\n"
    assert result.stderr == (
        "it waits for one person's approval, not yours: incidentio approvals list INC-7K3F9A; "
        "follow it with: incidentio incidents timeline INC-7K3F9A\n"
    )


def test_a_dry_run_is_waited_for_and_printed(run: Run, api: ScriptedApi) -> None:
    api.answers[ASK] = {**RUN, "status": "requested"}
    plan = [{"summary": "reserved concurrency: not set → 10", "do": ["aws lambda put"], "undo": ["aws lambda delete"]}]
    planned = {**RUN, "status": "planned", "finished_at": "2026-11-23T08:00:02.000Z", "plan": plan}
    answers = iter([{"runs": []}, {"runs": [planned]}])
    api.answers["GET", "/incidents/INC-7K3F9A"] = lambda _: next(answers)
    shown = run("playbooks", "run", "7k3f9a", "throttle-function", "--dry-run").stdout
    assert api.asked[0].body == {"parameters": {}, "dry_run": True}
    assert shown.splitlines() == [
        "RUN-7K3F9A-0: planned, nothing was changed",
        "reserved concurrency: not set → 10",
        "  do    aws lambda put",
        "  undo  aws lambda delete",
    ]


def test_a_dry_run_that_would_be_refused_is_a_failure(run: Run, api: ScriptedApi) -> None:
    why = "there is no function nope"
    plan = [{"summary": why, "error": {"code": "not_found", "message": why}, "do": [], "undo": []}]
    ended = {**RUN, "status": "refused", "reason": why, "finished_at": "2026-11-23T08:00:02.000Z", "plan": plan}
    api.answers[ASK] = {**RUN, "status": "requested"}
    api.answers["GET", "/incidents/INC-7K3F9A"] = {"runs": [ended]}
    result = run("playbooks", "run", "7k3f9a", "throttle-function", "--target", "nope", "--dry-run")
    assert result.exit_code == 1
    assert result.stdout == f"RUN-7K3F9A-0: refused, nothing was changed: {why}\n"


@pytest.mark.parametrize(
    ("typed", "body", "says"),
    [
        ([], {}, "what throttle-function borrowed on checkout is given back within a minute"),
        (["--by-hand", "deleted"], {"by_hand": "deleted"}, "what throttle-function borrowed on checkout is settled"),
    ],
)
def test_what_was_borrowed_is_given_back(
    run: Run, api: ScriptedApi, typed: list[str], body: dict[str, str], says: str
) -> None:
    api.answers["POST", "/runs/RUN-7K3F9A-0/restore"] = {**RUN, "status": "succeeded"}
    assert run("playbooks", "restore", "run-7k3f9a-0", *typed).stdout == f"RUN-7K3F9A-0: {says}\n"
    assert api.asked[0].body == body


def test_a_parameter_without_a_value_is_one_line(run: Run) -> None:
    result = run("playbooks", "run", "7k3f9a", "throttle-function", "--param", "limit")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "NAME=VALUE" in result.stderr


@pytest.mark.parametrize(
    ("typed", "scope"), [("inc-7k3f9a", "INC-7K3F9A"), ("all", "all"), ("checkout", "checkout"), ("income", "income")]
)
def test_hands_off_names_its_scope(run: Run, api: ScriptedApi, typed: str, scope: str) -> None:
    api.answers["POST", "/hands-off"] = {"scope": scope, "on": True}
    result = run("hands-off", typed, "on", "--reason", "migration")
    assert api.asked[0].body == {"scope": scope, "on": True, "reason": "migration"}
    assert result.stdout == f"automation is stopped for {typed}\n"


def test_a_postmortem_is_printed_inert(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents/INC-7K3F9A/postmortem"] = {"markdown": "# INC\n\x1b[2Jtext"}
    assert run("postmortem", "show", "7k3f9a").stdout == "# INC\n\N{REPLACEMENT CHARACTER}[2Jtext\n"


def test_a_review_is_a_file_or_the_draft_as_it_is(run: Run, api: ScriptedApi, tmp_path: Path) -> None:
    api.answers["GET", "/incidents/INC-7K3F9A/postmortem"] = {"markdown": "draft"}
    api.answers["POST", "/incidents/INC-7K3F9A/postmortem/review"] = {"status": "reviewed"}
    reviewed = tmp_path / "postmortem.md"
    reviewed.write_text("complete")
    run("postmortem", "review", "7k3f9a", "--file", str(reviewed))
    run("postmortem", "review", "7k3f9a")
    assert [asked.body for asked in api.asked if asked.method == "POST"] == [
        {"markdown": "complete"},
        {"markdown": "draft"},
    ]


def test_waiving_needs_a_reason(run: Run, api: ScriptedApi) -> None:
    assert run("postmortem", "waive", "7k3f9a").exit_code == 2
    api.answers["POST", "/incidents/INC-7K3F9A/postmortem/waive"] = {"status": "waived"}
    answered = run("postmortem", "waive", "7k3f9a", "--reason", "a drill", "--json").stdout
    assert json.loads(answered) == {"status": "waived"}
