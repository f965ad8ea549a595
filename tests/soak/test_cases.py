"""Every case of every playbook on the deployed app: `make test` runs the first of each there."""

from typing import Any

import pytest

from infra.cases.model import load_cases, playbooks
from tests.deployed_cases import run_cases


@pytest.mark.parametrize("name", playbooks())
def test_it_does_all_it_promises(name: str, target: dict[str, Any]) -> None:
    run_cases(name, load_cases(name), target)
