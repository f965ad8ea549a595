"""One low-level client per service and process, with timeouts and retries set once."""

from functools import cache
from typing import Any

import botocore
import botocore.session
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=8,
    user_agent=f"incidentio Botocore/{botocore.__version__}",  # given, it is not put together anew for every call
    parameter_validation=False,  # a tenth of the hot path's CPU; AWS checks again, and the tests run against it
)


@cache
def _session() -> Any:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """The botocore client of `service` for this process, in the Region and with the credentials of the environment."""
    return _session().create_client(service, config=_CONFIG)


def credentials() -> Any:
    """What this process signs with."""
    return _session().get_credentials()


class LaterClient:
    """The client of `service`, made at its first call: for a service that few requests need."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __getattr__(self, operation: str) -> Any:
        return getattr(client(self._service), operation)
