"""The Lambda entry, composed from its environment."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from incidentio.api.handler import handler
from incidentio.core.errors import InvalidInput


@dataclass
class Context:
    invoked_function_arn: str


def event(path: str) -> dict[str, Any]:
    return {
        "httpMethod": "GET", "path": path, "headers": {}, "queryStringParameters": None, "body": None,
        "requestContext": {"requestId": "r-1", "stage": "v1", "path": f"/v1{path}", "identity": {"userArn": "arn"}},
    }  # fmt: skip


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("TABLE_NAME", "STACK_PREFIX", "ARCHIVE_BUCKET"):
        monkeypatch.setenv(name, "x")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-central-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return monkeypatch


def test_it_answers(environment: pytest.MonkeyPatch) -> None:
    context = Context("arn:aws:lambda:eu-central-1:100000000001:function:api")
    answer = handler(event("/openapi.json"), context)
    assert answer["statusCode"] == 200
    assert answer["multiValueHeaders"]["x-correlation-id"] == ["r-1"]
    assert json.loads(answer["body"])["info"]["title"] == "incidentio"


def test_a_missing_variable_names_itself(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("ARCHIVE_BUCKET")
    with pytest.raises(InvalidInput, match="ARCHIVE_BUCKET"):
        handler(event("/openapi.json"), Context("arn:aws:lambda:eu-central-1:100000000002:function:api"))
