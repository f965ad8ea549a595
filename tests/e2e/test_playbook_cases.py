"""The first case of each playbook, on the deployed app. All of them: tests/integration/playbooks, and `make soak`."""

from typing import Any

import pytest

from infra.cases.model import load_cases
from tests.deployed_cases import DEPLOYED, run_cases


@pytest.mark.parametrize("name", DEPLOYED)
def test_it_does_what_it_promises_first(name: str, target: dict[str, Any]) -> None:
    run_cases(name, load_cases(name)[:1], target)
