"""`incidentio silences` and `incidentio maintenance`: what is asked of the API, and what is printed."""

from typing import Any

import pytest

from incidentio.cli.errors import CallRefusedError

SILENCE = {
    "id": "SIL-7K3F9A",
    "state": "active",
    "mode": "live",
    "matchers": ['service="checkout"'],
    "author": "1:user/ana",
    "comment": "load test",
    "starts_at": "2026-03-01T12:00:00.000Z",
    "ends_at": "2026-03-01T14:00:00.000Z",
    "created_at": "2026-03-01T12:00:00.000Z",
    "ended_by": None,
}
WINDOW: dict[str, Any] = {
    "id": "MNT-7K3F9A",
    "name": "vacuum",
    "state": "pending",
    "mode": "live",
    "matchers": ['service="orders-db"'],
    "author": "1:user/ana",
    "reason": "weekly",
    "until": None,
    "next_starts_at": "2026-03-08T01:00:00.000Z",
    "ended_at": None,
}


def test_a_silence_is_made(api, run):
    api.answers["POST", "/silences"] = SILENCE
    done = run("silences", "create", 'service="checkout"', "-m", "load test", "--for", "2h")
    assert done.stdout == 'SIL-7K3F9A: service="checkout" is silenced until 2026-03-01 14:00:00Z\n'
    assert api.asked[0].body == {"matchers": ['service="checkout"'], "comment": "load test", "duration": "2h"}


def test_everything_is_said_explicitly(api, run):
    api.answers["POST", "/silences"] = {**SILENCE, "matchers": [], "state": "pending"}
    done = run("silences", "create", "-m", "move", "--everything", "--starts", "2026-03-01T12:00:00Z")
    assert done.stdout == "SIL-7K3F9A: everything is silenced from 2026-03-01 12:00:00Z until 2026-03-01 14:00:00Z\n"
    assert api.asked[0].body["everything"] is True


def test_a_comment_is_asked_for(run):
    assert run("silences", "create", 'service="checkout"').exit_code == 2


def test_silences_are_listed_and_ended(api, run):
    api.answers["GET", "/silences"] = {"items": [SILENCE], "next": None}
    api.answers["POST", "/silences/SIL-7K3F9A/expire"] = {**SILENCE, "state": "expired"}
    assert "load test" in run("silences", "list", "--all").stdout
    assert api.asked[0].query == {"all": "true"}
    assert run("silences", "expire", "sil-7k3f9a").stdout.startswith("SIL-7K3F9A has ended")


def test_what_is_only_tried_says_so(api, run):
    watched = {**SILENCE, "mode": "monitor"}
    api.answers["POST", "/silences"] = watched
    api.answers["GET", "/silences"] = {"items": [watched], "next": None}
    api.answers["POST", "/maintenance"] = {**WINDOW, "mode": "monitor"}
    done = run("silences", "create", 'service="checkout"', "-m", "load test", "--mode", "monitor")
    assert "would be silenced, which is only shown, until" in done.stdout
    assert api.asked[0].body["mode"] == "monitor"
    assert "active (monitor)" in run("silences", "list").stdout
    done = run("maintenance", "create", "vacuum", 'service="orders-db"', "-m", "weekly", "--mode", "monitor")
    assert done.stdout == "MNT-7K3F9A vacuum: opens 2026-03-08 01:00:00Z (monitor)\n"


def test_nothing_silenced_is_said(api, run):
    api.answers["GET", "/silences"] = {"items": [], "next": None}
    assert run("silences", "list").stdout == "nothing is silenced\n"


def test_a_window_is_planned(api, run):
    api.answers["POST", "/maintenance"] = WINDOW
    rule = ("--rrule", "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2", "--duration", "1h", "--timezone", "Europe/Berlin")
    done = run("maintenance", "create", "vacuum", 'service="orders-db"', "-m", "weekly", *rule)
    assert done.stdout == "MNT-7K3F9A vacuum: opens 2026-03-08 01:00:00Z\n"
    assert api.asked[0].body == {
        "name": "vacuum",
        "matchers": ['service="orders-db"'],
        "reason": "weekly",
        "rrule": "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2",
        "duration": "1h",
        "timezone": "Europe/Berlin",
    }


def test_windows_are_listed_and_ended(api, run):
    open_now = {**WINDOW, "state": "active", "until": "2026-03-01T13:00:00.000Z"}
    ended = {**WINDOW, "state": "ended", "ended_at": "2026-03-01T12:30:00.000Z"}
    api.answers["GET", "/maintenance"] = {"items": [open_now], "next": None}
    api.answers["POST", "/maintenance/MNT-7K3F9A/end"] = ended
    assert "open until 2026-03-01 13:00:00Z" in run("maintenance", "list").stdout
    assert run("maintenance", "end", "MNT-7K3F9A").stdout == "MNT-7K3F9A vacuum: ended 2026-03-01 12:30:00Z\n"


def test_why_is_answered_in_sentences(api, run):
    api.answers["GET", "/incidents/INC-7K3F9A/why"] = {"answer": ["It is live.", "Nobody has been called."]}
    assert run("incidents", "why", "7k3f9a").stdout == "It is live.\nNobody has been called.\n"


@pytest.mark.parametrize(("matcher", "noted"), [('servise="checkout"', True), ('dim_FunctionName="x"', False)])
def test_a_label_that_hardly_any_incident_has_is_noted(run, api, matcher, noted):
    api.answers["POST", "/silences"] = {**SILENCE, "matchers": [matcher]}
    done = run("silences", "create", matcher, "-m", "load test")
    assert ("note: servise is a label only where a rule or a sender sets it" in done.stderr) is noted


def test_a_refusal_speaks_of_what_was_typed(run, api):
    refused = CallRefusedError("ends_at is not after starts_at", status=400, error_code="invalid_input")
    api.answers["POST", "/maintenance"] = refused
    done = run("maintenance", "create", "move", 'service="x"', "-m", "y", "--starts", "b", "--ends", "a")
    assert done.exit_code == 1
    assert "--ends is not after --starts" in done.stderr
