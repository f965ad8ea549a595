from types import SimpleNamespace
from typing import Any

from infra.local.ministack_main import keep_attributes

CREATED = {"stack": {"_resources": {"Role": {"Attributes": {"Arn": "arn:aws:iam::000000000000:role/r"}}}}}


def updated(answer: dict[str, str], *where: str) -> tuple[str, Any]:
    emulator = SimpleNamespace(_update_resource=lambda *_arguments: ("r", answer))
    keep_attributes(emulator, CREATED)
    result: tuple[str, Any] = emulator._update_resource("AWS::IAM::Role", "r", {}, {}, *where)
    return result


def test_an_unchanged_resource_keeps_its_attributes() -> None:
    assert updated({}, "stack", "Role") == ("r", {"Arn": "arn:aws:iam::000000000000:role/r"})


def test_what_an_update_answers_goes_first() -> None:
    assert updated({"Arn": "new"}, "stack", "Role") == ("r", {"Arn": "new"})


def test_an_unknown_resource_has_none() -> None:
    assert updated({}, "stack", "Other") == ("r", {})
    assert updated({}, "other", "Role") == ("r", {})
    assert updated({}) == ("r", {})
