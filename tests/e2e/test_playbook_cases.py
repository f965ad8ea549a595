"""The first case of each playbook, on the deployed app. All of them: tests/integration/playbooks, and `make soak`."""

from typing import Any

import pytest

from infra.cases.estates import estate_of
from infra.cases.model import ROOT, load_cases, playbooks
from infra.documents import load_playbooks
from tests.deployed_cases import run_cases

LIBRARY = load_playbooks(ROOT / "playbooks")
DEPLOYED = [name for name in playbooks() if not estate_of(LIBRARY[name].targets.type).stands_in]
"""Those for which the emulator has all that they call."""


@pytest.mark.parametrize("name", DEPLOYED)
def test_it_does_what_it_promises_first(name: str, target: dict[str, Any]) -> None:
    run_cases(name, load_cases(name)[:1], target)
