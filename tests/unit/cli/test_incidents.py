import json
from collections.abc import Callable

import pytest
from click.testing import Result

from incidentio.cli.errors import CallRefusedError
from tests.unit.cli.conftest import ScriptedApi, entry, incident

Run = Callable[..., Result]
ONE = ("GET", "/incidents/INC-7K3F9A")


def test_list_shows_open_incidents_by_default(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents"] = {"items": [incident()], "next": None}
    result = run("incidents", "list")
    assert result.exit_code == 0
    assert "INC-7K3F9A  SEV2      triggered  checkout" in result.stdout
    assert api.asked[0].query == {"status": "open", "limit": "50"}


def test_list_follows_pages_up_to_the_limit(run: Run, api: ScriptedApi) -> None:
    pages = iter([{"items": [incident()] * 100, "next": "c"}, {"items": [incident()] * 20, "next": "d"}])
    api.answers["GET", "/incidents"] = lambda _: next(pages)
    result = run("incidents", "list", "--limit", "120")
    assert [asked.query.get("next") for asked in api.asked] == [None, "c"]
    assert api.asked[1].query["limit"] == "20"
    assert "there are more" in result.stderr


def test_list_says_when_there_is_nothing(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents"] = {"items": [], "next": None}
    assert run("incidents", "list").stdout == "no incident is open\n"


def test_a_signal_is_looked_for_in_every_status(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents"] = {"items": [incident(status="resolved")], "next": None}
    assert "INC-7K3F9A" in run("incidents", "list", "--signal", "checkout-5xx").stdout
    assert api.asked[0].query == {"signal": "checkout-5xx", "limit": "50"}
    api.answers["GET", "/incidents"] = {"items": [], "next": None}
    nothing = run("incidents", "list", "--signal", "checkout-5xx").stdout
    assert nothing.startswith("checkout-5xx went to no incident: nothing under that key has fired, or not yet")
    assert "fingerprint" in nothing


def test_json_is_the_api_answer_wherever_the_option_stands(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents"] = {"items": [incident()], "next": None}
    for arguments in (["--json", "incidents", "list"], ["incidents", "list", "--json"]):
        assert json.loads(run(*arguments).stdout)["items"][0]["id"] == "INC-7K3F9A"


def test_a_hostile_title_is_inert_in_tables_and_json(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents"] = {"items": [incident(title="\x1b[2J[red]x[/red]")], "next": None}
    shown = run("incidents", "list").stdout
    assert "\x1b" not in shown
    assert "[red]x[/red]" in shown
    assert "\x1b" not in run("incidents", "list", "--json").stdout


@pytest.mark.parametrize("typed", ["INC-7K3F9A", "inc-7k3f9a", "7k3f9a", "inc7k3f9a", "INC-7K3F9A "])
def test_ids_are_read_as_people_type_them(run: Run, api: ScriptedApi, typed: str) -> None:
    api.answers["POST", "/incidents/INC-7K3F9A/acknowledge"] = incident(status="acknowledged")
    result = run("incidents", "ack", typed)
    assert result.stdout == "INC-7K3F9A is acknowledged, SEV2, version 3: checkout 5xx\n"


def test_a_wrong_id_is_one_line(run: Run) -> None:
    result = run("incidents", "show", "INC-7K3F9AX")
    assert result.exit_code == 1
    assert result.stderr.startswith("incidentio: 'INC-7K3F9AX' is not an incident id")
    assert result.stderr.count("\n") == 1


def test_show_has_the_facts_and_the_timeline(run: Run, api: ScriptedApi) -> None:
    api.answers[ONE] = incident(why="alarm name matches checkout-*", proposed=["throttle-function"])
    api.answers["GET", "/incidents/INC-7K3F9A/timeline"] = {"items": [entry(1, "triggered by an alarm")], "next": None}
    shown = run("incidents", "show", "INC-7K3F9A").stdout
    assert "alarm name matches checkout-*" in shown
    assert "throttle-function" in shown
    assert "1:user/responder  triggered by an alarm" in shown


def test_a_refusal_is_the_apis_own_line(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/incidents/INC-7K3F9A/close"] = CallRefusedError(
        "INC-7K3F9A is triggered (version 3) and cannot become closed", status=409, error_code="illegal_transition"
    )
    result = run("incidents", "close", "INC-7K3F9A")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "incidentio: INC-7K3F9A is triggered (version 3) and cannot become closed\n"


def test_a_version_becomes_if_match(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/incidents/INC-7K3F9A/resolve"] = incident(status="resolved")
    run("incidents", "resolve", "INC-7K3F9A", "--if-version", "3", "-m", "crawler blocked")
    assert (api.asked[0].if_match, api.asked[0].body) == (3, {"note": "crawler blocked"})


def test_cancel_wants_a_known_reason(run: Run) -> None:
    result = run("incidents", "cancel", "INC-7K3F9A", "--reason", "bored")
    assert result.exit_code == 2
    assert "false_positive" in result.stderr


def test_a_severity_is_read_as_people_write_it(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/incidents/INC-7K3F9A/severity"] = incident(severity="SEV1")
    run("incidents", "severity", "INC-7K3F9A", "p1", "--reason", "all of EU")
    assert api.asked[0].body == {"severity": "SEV1", "reason": "all of EU"}


def test_a_note_comes_from_words_or_standard_input(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/incidents/INC-7K3F9A/notes"] = incident()
    run("incidents", "note", "INC-7K3F9A", "looking", "at", "it")
    run("incidents", "note", "INC-7K3F9A", "-", stdin="from a pipe\n")
    assert [asked.body for asked in api.asked] == [{"text": "looking at it"}, {"text": "from a pipe"}]


def test_create_sends_what_was_given(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/incidents"] = incident()
    run("incidents", "create", "--title", "checkout 5xx", "--severity", "2")
    assert api.asked[0].body == {"title": "checkout 5xx", "severity": "2"}


def test_verify_says_the_chain_holds(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents/INC-7K3F9A/verify"] = {
        "ok": True, "entries": 7, "broken": None, "anchor": None,
    }  # fmt: skip
    result = run("incidents", "verify", "INC-7K3F9A")
    assert (result.exit_code, result.stdout) == (0, "INC-7K3F9A: 7 entries, the chain holds, not anchored yet\n")


def test_verify_names_the_first_broken_link(run: Run, api: ScriptedApi) -> None:
    api.answers["GET", "/incidents/INC-7K3F9A/verify"] = {
        "ok": False, "entries": 7, "broken": {"seq": 4, "why": "was changed after it was written"}, "anchor": None,
    }  # fmt: skip
    result = run("incidents", "verify", "INC-7K3F9A")
    assert result.exit_code == 1
    assert "broken at entry 4: was changed after it was written" in result.stdout


@pytest.mark.parametrize(
    "typed", [["--json", "incidents", "list"], ["incidents", "--json", "list"], ["incidents", "list", "--json"]]
)
def test_shared_options_stand_anywhere(run: Run, api: ScriptedApi, typed: list[str]) -> None:
    api.answers["GET", "/incidents"] = {"items": [], "next": None}
    assert json.loads(run(*typed).stdout) == {"items": [], "next": None}


def test_acknowledge_is_another_word_for_ack(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/incidents/INC-7K3F9A/acknowledge"] = incident(status="acknowledged")
    assert "INC-7K3F9A is acknowledged" in run("incidents", "acknowledge", "7k3f9a").stdout


@pytest.mark.parametrize(
    ("typed", "near"), [(["incident", "list"], "incidents"), (["incidents", "resolv", "7k3f9a"], "resolve")]
)
def test_a_misspelt_command_names_the_nearest(run: Run, typed: list[str], near: str) -> None:
    result = run(*typed)
    assert result.exit_code == 2
    assert f"did you mean {near}?" in result.stderr


def test_correct_sends_only_what_is_given(run: Run, api: ScriptedApi) -> None:
    api.answers["PATCH", "/incidents/INC-7K3F9A"] = incident()
    assert (
        run("incidents", "correct", "7k3f9a", "--users", "0", "--title", "checkout", "--if-version", "3").exit_code == 0
    )
    assert api.asked[-1].body == {"title": "checkout", "impact": {"users": 0}}
    assert api.asked[-1].if_match == 3


def test_show_tells_what_triage_found(run: Run, api: ScriptedApi) -> None:
    context = {
        "suspects": [
            {"sentence": "deploy v42 of checkout 6 min before impact", "score": 76, "why": "own service (+40)"}
        ],
        "similar": [{"incident_id": "INC-0000A1", "score": 82, "fixed_by": "rolled back"}],
        "completeness": 85,
        "gaps": [{"name": "runbook", "todo": "add it"}],
    }
    impact = {"users": 312, "users_by": "person", "revenue": "", "revenue_by": "unknown"}
    api.answers[ONE] = incident(context=context, impact=impact, related=["INC-4M2P8Q"], responders=["ana"])
    api.answers["GET", "/incidents/INC-7K3F9A/timeline"] = {"items": [], "next": None}
    shown = run("incidents", "show", "INC-7K3F9A").stdout
    for line in (
        "deploy v42 of checkout 6 min before impact (76 of 100: own service (+40))",
        "INC-0000A1 (82 %): rolled back", "85 of 100, missing: runbook", "312 users (person)", "INC-4M2P8Q", "ana",
    ):  # fmt: skip
        assert line in shown
