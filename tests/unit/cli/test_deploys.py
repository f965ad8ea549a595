"""What `incidentio deploys` asks of the API, and what a person sees."""

from collections.abc import Callable
from typing import Any

from click.testing import Result

from tests.unit.cli.conftest import ScriptedApi

CHANGE: dict[str, Any] = {
    "id": "run-7781", "what": "deploy of checkout 1.42.0", "at": "2026-03-04T09:13:41.000Z", "actor": "1:user/ci",
    "reversible": True, "reason": "",
}  # fmt: skip


def test_a_deploy_is_told(run: Callable[..., Result], api: ScriptedApi) -> None:
    api.answers["POST", "/deploys"] = CHANGE
    result = run("deploys", "record", "--service", "checkout", "--version", "1.42.0", "--id", "run-7781")
    assert result.exit_code == 0
    assert "deploy of checkout 1.42.0 is on record as run-7781" in result.output
    assert api.asked[0].body == {"service": "checkout", "version": "1.42.0", "id": "run-7781"}


def test_one_that_cannot_be_rolled_back_says_why(run: Callable[..., Result], api: ScriptedApi) -> None:
    api.answers["POST", "/deploys"] = CHANGE
    run("deploys", "record", "--service", "a", "--version", "2", "--irreversible", "drops a column")
    body = api.asked[0].body
    assert body is not None
    assert (body["reversible"], body["reason"]) == (False, "drops a column")


def test_changes_are_listed_with_what_hinders_a_rollback(run: Callable[..., Result], api: ScriptedApi) -> None:
    fixed = {**CHANGE, "id": "run-7782", "reversible": False, "reason": "drops a column"}
    api.answers["GET", "/deploys"] = {"items": [fixed, CHANGE], "next": None}
    result = run("deploys", "list", "checkout")
    assert api.asked[0].query == {"service": "checkout", "limit": "50"}
    assert "no: drops a column" in result.output
    assert "run-7781" in result.output
