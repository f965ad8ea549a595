"""Every e2e test gets a world of its own on the shared target."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.world import World


@pytest.fixture
def world(target: dict[str, Any]) -> Iterator[World]:
    world = World(target).listen()
    yield world
    world.leave()
