"""AWS at its worst: throttles, conflicts, answers that never come, a bus that is out. All is retried, nothing lost.

`make soak` walks more seeds (tests/soak).
"""

import random

import pytest

from tests.trust.cloud import Clients, Cloud, Hazard, Strike
from tests.trust.path import POISON, Path, alarm, signal, unharmed

SENT = [
    alarm("checkout-5xx", "ALARM", 0),
    alarm("checkout-5xx", "ALARM", 0),
    alarm("checkout-5xx", "OK", 60),
    alarm("checkout-5xx", "ALARM", 120),
    signal("canary/orders", 30, severity="SEV1"),
    POISON,
]
ANY = (Strike.THROTTLED, Strike.BROKEN, Strike.CONFLICT, Strike.PARTIAL, Strike.LOST)
SEEDS = 60


def walk(clients: Clients, hazard: Hazard, seed: int) -> Path:
    clients.cloud = Cloud(hazard=hazard)
    path = Path(clients, seed)
    path.send(*SENT)
    path.settle()
    return path


def outage(operation: str, strike: Strike, *, calls: int) -> Hazard:
    """`strike` at the first `calls` calls of `operation`, whoever makes them."""
    seen = [0]

    def hazard(_number: int, asked: str) -> Strike | None:
        seen[0] += asked == operation
        return strike if asked == operation and seen[0] <= calls else None

    return hazard


@pytest.mark.parametrize("part", range(3))
def test_one_call_in_ten_goes_wrong(clients: Clients, waited: list[float], part: int) -> None:
    struck = 0
    for seed in range(part, SEEDS, 3):
        chance = random.Random(seed)
        path = walk(clients, lambda *_, c=chance: c.choice(ANY) if c.random() < 0.1 else None, seed)  # type: ignore[misc]
        unharmed(path, SENT)
        struck += len(path.cloud.struck)
    assert struck > SEEDS
    assert len({round(pause, 6) for pause in waited}) > len(waited) // 2  # jittered: hardly two waits alike


@pytest.mark.parametrize(
    ("operation", "strike", "calls"),
    [
        ("UpdateItem", Strike.THROTTLED, 9),
        ("TransactWriteItems", Strike.CONFLICT, 9),
        ("TransactWriteItems", Strike.LOST, 9),
        ("PutItem", Strike.CONFLICT, 9),
        ("PutItem", Strike.LOST, 5),
        ("Publish", Strike.BROKEN, 9),
        ("Publish", Strike.LOST, 2),
        ("PutEvents", Strike.BROKEN, 30),
        ("PutEvents", Strike.PARTIAL, 7),
        ("SendMessage", Strike.BROKEN, 9),
        ("ListTagsForResource", Strike.THROTTLED, 99),
    ],
)
def test_an_outage_of_one_thing_ends_and_nothing_is_missing(
    clients: Clients, operation: str, strike: Strike, calls: int
) -> None:
    path = walk(clients, outage(operation, strike, calls=calls), seed=7)
    assert path.cloud.struck
    unharmed(path, SENT)
