"""Every case of every playbook on the deployed app: `make test` runs the first of each there."""

from typing import Any

import pytest

from infra.cases.model import load_cases
from tests.deployed_cases import DEPLOYED, run_cases


@pytest.mark.parametrize("name", DEPLOYED)
def test_it_does_all_it_promises(name: str, target: dict[str, Any]) -> None:
    run_cases(name, load_cases(name), target)
