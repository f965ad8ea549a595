"""A shell whose API is scripted, so that a test says what was asked and what was answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from incidentio.cli.main import main
from incidentio.cli.shell import Shell


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None
    if_match: int | None


Answer = dict[str, Any] | Exception | Callable[[Asked], dict[str, Any]]


@dataclass
class ScriptedApi:
    """Implements `client.Api`: answers by method and path, and remembers what was asked."""

    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
        if_match: int | None = None,
    ) -> dict[str, Any]:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        self.asked.append(asked := Asked(method, path, given, body, if_match))
        answer = self.answers[method, path]
        if isinstance(answer, Exception):
            raise answer
        return answer(asked) if callable(answer) else answer


@pytest.fixture
def api() -> ScriptedApi:
    return ScriptedApi()


@pytest.fixture
def run(api: ScriptedApi, tmp_path: Path) -> Callable[..., Result]:
    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        shell = Shell(directory=tmp_path)
        shell.__dict__["api"] = api
        return CliRunner().invoke(main, list(arguments), obj=shell, input=stdin, catch_exceptions=False)

    return invoke


def incident(**changes: Any) -> dict[str, Any]:
    return {
        "id": "INC-7K3F9A",
        "title": "checkout 5xx",
        "status": "triggered",
        "severity": "SEV2",
        "service": "checkout",
        "environment": "production",
        "kind": "real",
        "mode": "live",
        "version": 3,
        "detected_at": "2026-11-23T08:00:00.000Z",
        **changes,
    }


def entry(seq: int, text: str, **changes: Any) -> dict[str, Any]:
    return {
        "seq": seq,
        "type": "NoteAdded",
        "at": "2026-11-23T08:00:01.000Z",
        "actor": {"id": "1:user/responder", "kind": "person"},
        "text": text,
        **changes,
    }
