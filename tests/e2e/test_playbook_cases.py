"""The first case of each playbook, on the deployed app. All of them: tests/integration/playbooks, and `make soak`."""

from typing import Any

import pytest

from incidentio.mitigate.actions import permissions_for
from infra.cases.estates import estate_of
from infra.cases.model import ROOT, load_cases, playbooks
from infra.documents import load_playbooks
from tests.deployed_cases import run_cases

LIBRARY = load_playbooks(ROOT / "playbooks")


def emulated(name: str) -> bool:
    """Whether the emulator has all that it calls."""
    playbook = LIBRARY[name]
    lacking = {call.replace(".", ":").replace("_", "") for call in estate_of(playbook).stands_in}
    rights = permissions_for(playbook, partition="aws", account="", region="")
    return lacking.isdisjoint(action.lower() for statement in rights for action in statement.actions)


DEPLOYED = list(filter(emulated, playbooks()))


@pytest.mark.parametrize("name", DEPLOYED)
def test_it_does_what_it_promises_first(name: str, target: dict[str, Any]) -> None:
    run_cases(name, load_cases(name)[:1], target)
