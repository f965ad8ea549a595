"""The walks of `tests/unit/trust`, with thousands of seeds instead of hundreds: as many as go into the time.

All of it is in this process, with AWS answered there: nothing is deployed, and no real process is killed.
"""

import random
import time
from collections.abc import Callable
from itertools import count, cycle

import botocore.endpoint
import pytest

from tests.trust.cloud import Clients, Cloud, Hazard, Strike
from tests.trust.path import POISON, Path, alarm, signal, unharmed
from tests.trust.ways import WAYS

SECONDS = 100.0
"""Of each kind. The ways of signals that are not alone have half of it."""
SENT = [
    *(alarm("checkout-5xx", state, at) for state, at in [("ALARM", 0), ("ALARM", 0), ("OK", 60), ("ALARM", 120)]),
    *(alarm(f"orders-{n}", "ALARM", n) for n in range(3)),
    signal("canary/orders", 30, severity="SEV1"),
    POISON,
]  # fmt: skip
FAULTS = (Strike.THROTTLED, Strike.BROKEN, Strike.CONFLICT, Strike.PARTIAL, Strike.LOST)


def killed(chance: random.Random) -> Hazard:
    """Two deaths anywhere."""
    points = {chance.randint(1, 90): chance.choice((Strike.KILL_BEFORE, Strike.KILL_AFTER)) for _ in range(2)}
    return lambda number, _operation: points.get(number)


def faulty(chance: random.Random) -> Hazard:
    """One call in eight goes wrong."""
    return lambda *_: chance.choice(FAULTS) if chance.random() < 0.125 else None


def crowded(chance: random.Random) -> Hazard:
    """One call in four is overtaken, and two workers die."""
    deaths = iter((Strike.KILL_BEFORE, Strike.KILL_AFTER))

    def hazard(_number: int, _operation: str) -> Strike | None:
        drawn = chance.random()
        return next(deaths, None) if drawn < 0.03 else Strike.OVERTAKEN if drawn < 0.25 else None

    return hazard


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    """With nothing logged, and no real time between two tries."""
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")
    monkeypatch.setattr(botocore.endpoint.time, "sleep", lambda _seconds: None)
    return Clients(Cloud())


@pytest.mark.parametrize("hazard", [killed, faulty, crowded])
def test_as_many_seeds_as_there_is_time_for(hazard: Callable[[random.Random], Hazard], clients: Clients) -> None:
    until, walked = time.monotonic() + SECONDS, 0
    for seed in count(1_000_000):
        if time.monotonic() > until:
            break
        clients.cloud = Cloud(hazard=hazard(random.Random(seed)))
        path = Path(clients, seed)
        path.send(*SENT)
        path.settle()
        unharmed(path, SENT)
        walked += 1
    print(f"{hazard.__name__}: {walked} walks")
    assert walked > 50


@pytest.mark.parametrize("hazard", [killed, faulty, crowded])
def test_every_way_in_turn(hazard: Callable[[random.Random], Hazard], clients: Clients) -> None:
    until, walked = time.monotonic() + SECONDS / 2, 0
    for seed, name in zip(count(1_000_000), cycle(WAYS), strict=False):
        if time.monotonic() > until:
            break
        path = WAYS[name].set_up(clients, Cloud(hazard=hazard(random.Random(seed))), seed)
        unharmed(WAYS[name].walk(path), WAYS[name].bodies, WAYS[name].expected)
        walked += 1
    print(f"{hazard.__name__}: {walked} walks of ways")
    assert walked > 5 * len(WAYS)
