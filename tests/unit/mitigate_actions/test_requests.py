"""What a state machine sends and gets: fields that are always there, expected problems as data."""

from types import SimpleNamespace
from typing import Any

import pytest

from incidentio.core.errors import InvalidInput, Unavailable
from incidentio.mitigate.actions.request import answer, parse_request
from tests.unit.mitigate_actions.estate import GIVEN, PLACE, TARGETS, Estate

FIELDS = {
    "snapshot": {"snapshot", "targets", "of"},
    "apply": {"applied", "before", "after", "summary"},
    "verify": {"verified", "summary"},
    "rollback": {"result", "summary", "now"},
    "plan": {"summary", "before", "after", "do", "undo"},
}
NAME = "set-reserved-concurrency"


def request(op: str, **changes: Any) -> dict[str, Any]:
    return {
        "op": op,
        "run_id": "RUN-7K3F9A-0123ABCD",
        "step": 1,
        "action": NAME,
        "with": GIVEN[NAME],
        "target": TARGETS[NAME],
        "snapshot": {"before": 50, "after": 10},
    } | changes


def ask(estate: Estate, op: str, **changes: Any) -> dict[str, Any]:
    return answer(parse_request(request(op, **changes)), call=estate, place=PLACE)


@pytest.mark.parametrize("op", sorted(FIELDS))
def test_each_answer_has_its_fields_and_no_error(op: str) -> None:
    assert set(ask(Estate(), op)) == FIELDS[op]


@pytest.mark.parametrize("op", sorted(FIELDS))
def test_an_expected_problem_has_the_same_fields_and_an_error(op: str) -> None:
    told = ask(Estate(), op, target="AWS::Lambda::Function|999999999999|eu-west-1|checkout")
    assert FIELDS[op] <= set(told)
    assert told["error"]["code"] == "forbidden"
    assert "999999999999" in told["error"]["message"]
    assert not told.get("applied")
    assert not told.get("verified")
    assert told.get("result", "failed") == "failed"


@pytest.mark.parametrize("op", sorted(FIELDS))
def test_trouble_that_may_pass_is_raised(op: str) -> None:
    with pytest.raises(Unavailable):
        ask(Estate(failing={"get_function_concurrency": Unavailable("busy")}), op)


def test_a_value_that_travelled_as_text_is_a_number_again() -> None:
    estate = Estate()
    assert ask(estate, "snapshot", **{"with": {"value": "10"}})["snapshot"]["after"] == 10


def test_a_request_that_is_none_names_what_is_wrong() -> None:
    with pytest.raises(InvalidInput, match=r"op: .*snapshot.*; step: "):
        parse_request(request("explode", step="one"))


def test_the_handler_acts_where_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    from incidentio.mitigate.actions import handler

    estate = Estate()

    class Client:
        def __init__(self, service: str) -> None:
            self._service = service

        def __getattr__(self, operation: str) -> Any:
            return lambda **parameters: estate(self._service, operation, **parameters)

    monkeypatch.setenv("PLAYBOOK", "throttle-function")
    monkeypatch.setattr(handler, "client", Client)
    context = SimpleNamespace(invoked_function_arn=PLACE.arn("lambda", "function:incidentio-action"))
    assert handler.handler(request("apply"), context)["applied"]
    assert estate.reserved == 10
    elsewhere = SimpleNamespace(invoked_function_arn="arn:aws:lambda:us-east-1:111122223333:function:incidentio-action")
    assert handler.handler(request("apply"), elsewhere)["error"]["code"] == "forbidden"


def test_what_is_logged_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    from incidentio.mitigate.actions import handler

    secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
    said = {"summary": f"it said {secret}", "error": {"code": "conflict", "message": f"it said {secret}"}}
    lines: list[Any] = []
    monkeypatch.setenv("PLAYBOOK", "throttle-function")
    monkeypatch.setattr(handler, "answer", lambda *_, **__: said)
    monkeypatch.setattr(handler.logger, "info", lambda *given, **fields: lines.append((given, fields)))
    context = SimpleNamespace(invoked_function_arn=PLACE.arn("lambda", "function:incidentio-action"))
    assert handler.handler(request("apply"), context) == said
    assert str(lines).count("it said [redacted:token]") == 2
    assert secret not in str(lines)
