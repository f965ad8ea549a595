"""Scaling a service: always inside its bounds, and done only when the tasks run."""

import pytest

from incidentio.core.errors import Conflict, InvalidInput, NotFound
from incidentio.mitigate.actions import compare_and_set
from tests.unit.mitigate_actions.estate import Estate, action


@pytest.mark.parametrize(
    ("now", "given", "after"),
    [
        (4, {"add": 2, "max": 10}, 6),
        (4, {"add": 20, "max": 10}, 10),
        (0, {"add": 1, "min": 3, "max": 10}, 3),
        (4, {"add": -3, "min": 2, "max": 10}, 2),
        (4, {"value": 7, "max": 10}, 7),
        (12, {"value": 7, "max": 10}, 7),
        (4, {"value": 4, "max": 10}, 4),
    ],
)
def test_the_count_stays_between_its_bounds(now: int, given: dict[str, int], after: int) -> None:
    taken = compare_and_set.snapshot(action("set-desired-count", **given), Estate(desired=now))["snapshot"]
    assert taken == {"before": now, "after": after}


@pytest.mark.parametrize(
    ("now", "given"),
    [
        (10, {"add": 2, "max": 10}),
        (12, {"add": 2, "max": 10}),  # above its maximum already: adding never takes away
        (1, {"add": -1, "max": 10}),
        (4, {"add": 0, "max": 10}),
    ],
)
def test_without_room_it_says_so_instead_of_doing_nothing(now: int, given: dict[str, int]) -> None:
    with pytest.raises(Conflict, match="no room"):
        compare_and_set.snapshot(action("set-desired-count", **given), Estate(desired=now))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"max": 10}, "either value or add"),
        ({"value": 1, "add": 1, "max": 10}, "either value or add"),
        ({"value": 11, "max": 10}, "outside min 1 and max 10"),
        ({"add": 1, "min": 5, "max": 4}, "min 5 is more than max 4"),
        ({"add": 1}, "parameter max is required"),
    ],
)
def test_senseless_parameters_are_refused(given: dict[str, int], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        action("set-desired-count", **given)


def test_a_retry_after_the_change_does_not_add_again() -> None:
    estate, doing = Estate(), action("set-desired-count")
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    for _ in range(3):
        compare_and_set.apply(doing, estate, taken)
    assert estate.desired == 6


def test_it_is_verified_when_the_tasks_run() -> None:
    estate, doing = Estate(running=4), action("set-desired-count")
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    compare_and_set.apply(doing, estate, taken)
    waiting = compare_and_set.verify(doing, estate, taken)
    assert not waiting["verified"]
    assert "4 of 6 tasks run so far" in waiting["summary"]
    estate.running = 6
    assert compare_and_set.verify(doing, estate, taken)["verified"]


def test_a_daemon_service_has_no_count_to_set() -> None:
    with pytest.raises(Conflict, match="DAEMON"):
        compare_and_set.snapshot(action("set-desired-count"), Estate(strategy="DAEMON"))


def test_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="no active service web in cluster shop"):
        compare_and_set.snapshot(action("set-desired-count"), Estate(gone=True))
