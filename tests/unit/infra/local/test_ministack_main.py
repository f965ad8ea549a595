from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.ministack_main import keep_attributes, name_function_calls

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


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/2019-09-30/functions/checkout/concurrency", "GetFunctionConcurrency"),
        ("PUT", "/2017-10-31/functions/checkout/concurrency", "PutFunctionConcurrency"),
        ("DELETE", "/2017-10-31/functions/checkout/concurrency", "DeleteFunctionConcurrency"),
        ("GET", "/2015-03-31/functions/checkout/aliases/live", "GetAlias"),
        ("PUT", "/2015-03-31/functions/checkout/aliases/live", "UpdateAlias"),
        ("DELETE", "/2015-03-31/functions/checkout/aliases/live", "DeleteAlias"),
        ("GET", "/2015-03-31/functions/checkout/aliases", "as it was"),
        ("GET", "/2015-03-31/functions/checkout", "as it was"),
    ],
)
def test_calls_on_a_function_have_the_names_of_aws(method: str, path: str, name: str) -> None:
    emulator = SimpleNamespace(_lambda_action=lambda *_arguments: "as it was")
    name_function_calls(emulator)
    assert emulator._lambda_action(method, path) == name
