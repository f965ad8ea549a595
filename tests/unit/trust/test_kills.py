"""Whoever is killed, wherever it is: no accepted signal is lost, no incident doubled, and no page but the one allowed.

Real adapters on real botocore clients; AWS is answered in this process (tests/trust). `make soak` walks thousands of
seeds in the same way. Real processes of a deployed target are killed by `make bench`, in the middle of a storm
(tests/load/storm.py).
"""

import random

import pytest

from tests.trust.cloud import Clients, Cloud, Hazard, Strike, at
from tests.trust.path import POISON, Path, alarm, signal, unharmed

ONE = [alarm("checkout-5xx", "ALARM", 0)]
SEVERAL = [
    alarm("checkout-5xx", "ALARM", 0),
    alarm("checkout-5xx", "ALARM", 0),
    alarm("checkout-5xx", "OK", 60),
    alarm("checkout-5xx", "ALARM", 120),
    signal("canary/orders", 30, severity="SEV1"),
    signal("canary/orders", 30, severity="SEV1"),
    POISON,
]
POINTS = 200
KILLS = (Strike.KILL_BEFORE, Strike.KILL_AFTER)


def walk(clients: Clients, cloud: Cloud, bodies: list[str], seed: int) -> Path:
    clients.cloud = cloud
    path = Path(clients, seed)
    path.send(*bodies)
    path.settle()
    return path


def test_unharmed_when_nobody_is_killed(clients: Clients) -> None:
    path = walk(clients, Cloud(), SEVERAL, seed=0)
    unharmed(path, SEVERAL)
    assert path.deaths == 0
    assert len(path.cloud.published) == len({page["attributes"]["page_id"] for page in path.cloud.published})


@pytest.mark.parametrize("bodies", [ONE, SEVERAL], ids=["one", "several"])
@pytest.mark.parametrize("strike", KILLS)
def test_killed_at_every_call_of_the_path(clients: Clients, strike: Strike, bodies: list[str]) -> None:
    calls = len(walk(clients, Cloud(), bodies, seed=1).cloud.calls)
    assert calls > 20
    for number in range(1, calls + 1):
        path = walk(clients, Cloud(hazard=at([number], strike)), bodies, seed=1)
        assert path.deaths == 1
        unharmed(path, bodies)


@pytest.mark.parametrize("part", range(4))
def test_killed_at_random_points(clients: Clients, part: int) -> None:
    """One or two deaths a run, in any order of delivery: Lambda gives an asynchronous event three tries."""
    deaths = 0
    for seed in range(part, POINTS, 4):
        chance = random.Random(seed)
        points = {chance.randint(1, 60): chance.choice(KILLS) for _ in range(chance.randint(1, 2))}
        path = walk(clients, Cloud(hazard=lambda number, _, points=points: points.get(number)), SEVERAL, seed)
        unharmed(path, SEVERAL)
        deaths += path.deaths
    assert deaths >= POINTS // 4


def test_a_page_published_and_not_recorded_is_repeated_under_its_own_id(clients: Clients) -> None:
    number = walk(clients, Cloud(), ONE, seed=1).cloud.calls.index("Publish") + 1
    path = walk(clients, Cloud(hazard=at([number], Strike.KILL_AFTER)), ONE, seed=1)
    assert len(path.cloud.published) == 2
    assert len({page["attributes"]["page_id"] for page in path.cloud.published}) == 1
    unharmed(path, ONE)


@pytest.mark.parametrize("part", range(2))
def test_workers_in_each_others_way(clients: Clients, part: int) -> None:
    """At one call in five another worker comes first, and up to two die on the way; a third one would give up."""
    for seed in range(part, 80, 2):
        path = walk(clients, Cloud(hazard=crowded(random.Random(seed))), SEVERAL, seed)
        unharmed(path, SEVERAL)


def crowded(chance: random.Random) -> Hazard:
    deaths = iter(chance.choices(KILLS, k=2))

    def hazard(_number: int, _operation: str) -> Strike | None:
        drawn = chance.random()
        if drawn < 0.04:
            return next(deaths, None)
        return Strike.OVERTAKEN if drawn < 0.2 else None

    return hazard


def test_everything_delivered_a_second_time_changes_nothing_and_tells_nobody(clients: Clients) -> None:
    """As a replay of the archive would, if our rules let one through."""
    path = walk(clients, Cloud(), SEVERAL, seed=2)
    entries = [key for key in path.cloud.dynamo.items if key[1].startswith("TL#")]
    published = len(path.cloud.published)
    path.replay()
    assert [key for key in path.cloud.dynamo.items if key[1].startswith("TL#")] == entries
    assert len(path.cloud.published) == published
    unharmed(path, SEVERAL)
