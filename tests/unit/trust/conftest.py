"""AWS in this process for every test here; log lines go nowhere, and a retry waits no real time."""

from typing import Any

import botocore.endpoint
import pytest

from tests.trust.cloud import Clients, Cloud


@pytest.fixture(scope="session")
def clients() -> Clients:
    """Making botocore clients is most of the work: one set for all walks."""
    return Clients(Cloud())


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that botocore would have waited before it tried again."""
    pauses: list[float] = []

    class Clock:
        sleep = staticmethod(pauses.append)

        def __getattr__(self, name: str) -> Any:
            return getattr(botocore.endpoint.time, name)

    monkeypatch.setattr(botocore.endpoint, "time", Clock())
    return pauses
