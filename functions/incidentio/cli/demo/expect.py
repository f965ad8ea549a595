"""Waiting for something to become true in AWS, and saying which thing did not."""

import time
from collections.abc import Callable
from typing import TypeVar

from incidentio.core.errors import IncidentioError

POLL_SECONDS = 0.15
T = TypeVar("T")


class DemoFailedError(IncidentioError):
    """The demo saw something else than it should have; the message says what."""

    code = "demo_failed"


def wait_for(
    what: str,
    seen: Callable[[], T | None],
    *,
    seconds: float,
    meanwhile: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """Poll `seen` until it is truthy and return it; `meanwhile` runs before each look and after the last.

    Raises:
        DemoFailedError: it did not happen within `seconds`.
    """
    deadline = clock() + seconds
    while True:
        meanwhile()
        found = seen()
        if found:
            meanwhile()
            return found
        if clock() > deadline:
            raise DemoFailedError(f"waited {seconds:g} s for {what}, and it did not happen")
        pause(POLL_SECONDS)


def require(condition: object, otherwise: str) -> None:
    """Raise DemoFailedError with `otherwise` unless `condition` holds."""
    if not condition:
        raise DemoFailedError(otherwise)
