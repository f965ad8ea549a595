"""An emulator without our app: enough for actions and playbooks, and there in two seconds."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import locked


@pytest.fixture(scope="session")
def emulator(run_home: Path) -> dict[str, Any]:
    """`endpoint_url`, `account` and `region` of one that the workers of this run share."""
    from infra.local import emulator
    from infra.local.environment import ACCOUNT, REGION, endpoint_url
    from infra.local.state import TargetState

    home = run_home / "bare"
    with locked(run_home / "bare.lock"):
        described = home / "bare.json"
        if described.exists():
            description: dict[str, Any] = json.loads(described.read_text())
            return description
        port = emulator.free_port()
        emulator.start(TargetState(home, port))
        description = {"endpoint_url": endpoint_url(port), "account": ACCOUNT, "region": REGION}
        described.write_text(json.dumps(description))
        return description
