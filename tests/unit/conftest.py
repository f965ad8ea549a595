"""Unit tests have no network: a socket in one of them is an error. And no clock: an example may take its time."""

import pytest
from hypothesis import settings
from pytest_socket import disable_socket

settings.register_profile("incidentio", deadline=None)
settings.load_profile("incidentio")


@pytest.fixture(autouse=True)
def _no_network() -> None:
    disable_socket(allow_unix_socket=True)
