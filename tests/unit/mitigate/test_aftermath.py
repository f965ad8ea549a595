"""A rollback that is not whole says what is changed, what was given back, and what to paste."""

from typing import Any

from incidentio.core.errors import Forbidden
from incidentio.mitigate.actions import Commands
from incidentio.mitigate.actions.event_rule import DisableRule
from tests.make import BOB
from tests.unit.mitigate.stage import Stage, killed

RULE = {"action": "disable-rule", "with": {"rule": "loop"}}
CAP = {"action": "set-reserved-concurrency", "with": {"value": 0}}
HAND = {"manual": "Empty the queue", "undo": ["echo fill it again"], "timeout": "5m"}


def refusing(stage: Stage, service: str, operation: str) -> None:
    """AWS refuses that call once the run is being undone."""
    call = stage.call

    def called(asked: str, what: str, /, **parameters: Any) -> dict[str, Any]:
        if (asked, what) == (service, operation):
            raise Forbidden("AWS refused it: no rights any more")
        return call(asked, what, **parameters)

    stage.at["UndoNext"] = lambda: setattr(stage, "call", called)


def failed(*steps: dict[str, Any], **changes: Any) -> tuple[Stage, Any]:
    stage = Stage({"risk": "safe", "steps": list(steps), **changes})
    stage.people = lambda: stage.decide(BOB)
    refusing(stage, "events", "enable_rule")
    run = stage.request()
    stage.play()
    return stage, stage.run(run)


def test_a_failed_rollback_accounts_for_every_step() -> None:
    stage, run = failed(RULE, HAND, CAP)
    assert run.status == "rollback_failed"
    data = stage.data("RollbackFailed")
    assert "no rights any more" in data["still_changed"][0]
    assert data["given_back"] == ["reserved concurrency of function checkout: 0 → 50"]
    assert "Empty the queue" in data["stays"][0]
    assert data["to_do"] == ["undo step 1, disable-rule, with the commands"]
    assert data["commands"] == ["aws events enable-rule --name loop --event-bus-name default --region eu-west-1"]
    text = stage.text("RollbackFailed")
    for part in (
        "Still changed: ",
        "Given back: ",
        "Stays as it is: ",
        "To put back what was there before: aws events",
    ):
        assert part in text
    assert stage.data("UndoLeftToPeople")["commands"] == ["echo fill it again"]


def test_what_has_no_command_is_said_in_words(monkeypatch: Any) -> None:
    monkeypatch.setattr(DisableRule, "commands", lambda *_, **__: Commands())
    stage, _ = failed(RULE)
    assert stage.data("RollbackFailed")["to_do"] == [
        "undo step 1, disable-rule, for which there is no command: it was ENABLED before"
    ]
    assert "A person must do this: undo step 1" in stage.text("RollbackFailed")


def test_recoveries_that_never_end_say_what_may_have_changed_and_nothing_of_steps_not_begun() -> None:
    stage = Stage({"risk": "safe", "steps": [CAP, RULE]})
    stage._hook = lambda state: killed() if state in ("Step1Confirm", "Undo") else None
    run = stage.request()
    stage.play()
    assert stage.run(run).status == "rollback_failed"
    data = stage.data("RollbackFailed")
    assert data["still_changed"] == ["set-reserved-concurrency may have changed 50 to 0"]
    assert len(data["commands"]) == 1


def test_a_rollback_that_is_whole_asks_nobody() -> None:
    stage = Stage({"risk": "safe"})
    stage.request()
    stage.play()
    assert "PlaybookRolledBack" in stage.types
    assert not {"RollbackFailed", "UndoLeftToPeople", "ForeignChangeFound"} & set(stage.types)
