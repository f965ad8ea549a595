"""Whoever is killed on the way of a signal that is not alone: the same promises, and it ends where it belongs.

In the first test the stage is set and then somebody is killed; in the second at any point of all of it.
`make soak` walks more seeds, and through faults and crowds as well (tests/soak).
"""

import random

import pytest

from tests.trust.cloud import Clients, Cloud, Strike, at
from tests.trust.path import unharmed
from tests.trust.ways import WAYS

KILLS = (Strike.KILL_BEFORE, Strike.KILL_AFTER)
SEEDS = 3
"""Of each way."""


@pytest.mark.parametrize("name", WAYS)
def test_killed_at_every_call_of_the_way(clients: Clients, name: str) -> None:
    """After each, and before those that a worker begins with: before another one is after the one before."""
    way = WAYS[name]
    stage = way.set_up(clients, Cloud(), seed=1)
    was = stage.cloud
    path = way.walk(stage.forked(was.forked(), seed=1))
    calls, begins = len(path.cloud.calls), set(path.first_calls)
    unharmed(path, way.bodies, way.expected)
    assert calls > 10
    for number in range(1, calls + 1):
        for strike in KILLS if number in begins else (Strike.KILL_AFTER,):
            killed = way.walk(stage.forked(was.forked(at([number], strike)), seed=1))
            assert killed.deaths == 1
            unharmed(killed, way.bodies, way.expected)


@pytest.mark.parametrize("name", WAYS)
def test_killed_at_random_points(clients: Clients, name: str) -> None:
    way, deaths = WAYS[name], 0
    calls = len(way.walk(way.set_up(clients, Cloud(), seed=1)).cloud.calls)
    for seed in range(SEEDS):
        chance = random.Random(seed)
        points = {chance.randint(1, calls): chance.choice(KILLS) for _ in range(chance.randint(1, 2))}
        hazard = lambda number, _, points=points: points.get(number)  # noqa: E731
        path = way.walk(way.set_up(clients, Cloud(hazard=hazard), seed))
        unharmed(path, way.bodies, way.expected)
        deaths += path.deaths
    assert deaths >= SEEDS - 1
