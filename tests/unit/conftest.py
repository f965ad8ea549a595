"""Unit tests have no network: a socket in one of them is an error. And no clock: an example may take its time, and so
may making it up.
"""

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket

settings.register_profile("incidentio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("incidentio")


@pytest.fixture(autouse=True)
def _no_network() -> None:
    disable_socket(allow_unix_socket=True)
