"""A secret that somebody passes to a playbook stays in the run's own record: what people read does not hold it."""

from typing import Any

import pytest

from incidentio.core.events import event_of
from tests.unit.mitigate.stage import Stage

SECRET = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
GIVEN = {"note": f"password=hunter2hunter2 {SECRET}", "api_key": "swordfish"}
SECRETS = (SECRET, "hunter2hunter2", "swordfish")
BOOK: dict[str, Any] = {
    "parameters": {"note": {"type": "string"}, "api_key": {"type": "string"}},
    "steps": [
        {"action": "set-reserved-concurrency", "with": {"value": 3}},
        {
            "manual": "tell the vendor: ${note}",
            "commands": ["curl --data ${note} https://vendor.example"],
        },
    ],
}


def _read_by_people(stage: Stage) -> str:
    entries = stage.table.entries[stage.incident.id]
    approvals = [body for key, body in stage.table.records.items() if key.sk.startswith("APPROVAL#")]
    return "\n".join(map(str, [*entries, *(event_of(entry).model_dump() for entry in entries), *approvals]))


def test_neither_timeline_nor_events_nor_the_approval_hold_it() -> None:
    stage = Stage(BOOK)
    asked: list[int] = []

    def decide() -> None:
        asked.append(1)
        stage.decide()

    stage.people = decide
    run = stage.request(parameters=GIVEN)
    stage.play()
    assert len(asked) == 2  # the approval and the step by hand
    assert stage.types.count("PlaybookStarted") == stage.types.count("ManualStepRequested") == 1
    assert [secret for secret in SECRETS if secret in _read_by_people(stage)] == []
    assert stage.run(run).parameters == GIVEN


@pytest.mark.parametrize("type", ["PlaybookRequested", "ApprovalRequested", "PlaybookStarted"])
def test_what_is_no_secret_stays_readable(type: str) -> None:
    stage = Stage(BOOK)
    stage.people = stage.decide
    stage.request(parameters={"note": "since the 3.2 release", "api_key": "swordfish"})
    stage.play()
    assert stage.data(type)["parameters"] == {"note": "since the 3.2 release", "api_key": "[redacted:value]"}


def test_what_a_step_found_and_left_is_redacted_too() -> None:
    stage = Stage({"risk": "safe"})

    def applied(_arn: str, payload: Any) -> None:
        if payload.get("op") == "record":
            payload["applied"] |= {"before": {"url": f"https://vendor.example?token={SECRET}"}, "after": SECRET}

    stage.asked = applied
    stage.request()
    stage.play()
    assert stage.data("StepApplied")["after"] == "[redacted:token]"
    assert SECRET not in _read_by_people(stage)


def test_the_dry_run_tells_its_commands_without_it() -> None:
    stage = Stage({**BOOK, "risk": "disruptive"})
    stage.request(parameters=GIVEN, dry_run=True)
    stage.play()
    assert len(stage.data("PlaybookPlanned")["do"]) > 1
    assert [secret for secret in SECRETS if secret in _read_by_people(stage)] == []
