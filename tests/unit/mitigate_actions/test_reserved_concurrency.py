"""Capping a function: the pool the other functions share, and functions without a cap."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, InvalidInput
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.estate import PLACE, TARGETS, Estate, action


@pytest.mark.parametrize(
    ("reserved", "unreserved", "quota", "value", "fits"),
    [
        (None, 1000, 1000, 900, True),  # exactly the 100 that must stay
        (None, 1000, 1000, 901, False),
        (None, 105, 1000, 10, False),
        (50, 105, 1000, 10, True),  # gives 40 back to the pool
        (50, 105, 1000, 55, True),
        (50, 105, 1000, 56, False),
        (None, 60, 1000, 0, True),  # stopping takes nothing from the pool, however low it is
        (None, 10, 10, 1, False),  # a new account's quota
        (None, 10, 10, 0, True),
        (None, 60, 80, 5, False),
    ],
)
def test_a_reservation_leaves_the_pool_what_lambda_keeps_for_it(
    reserved: int | None, unreserved: int, quota: int, value: int, fits: bool
) -> None:
    estate = Estate(reserved=reserved, unreserved=unreserved, quota=quota)
    doing = action("set-reserved-concurrency", value=value)
    if fits:
        assert compare_and_set.snapshot(doing, estate)["snapshot"]["after"] == value
    else:
        with pytest.raises(Conflict, match="must stay"):
            compare_and_set.snapshot(doing, estate)


def test_the_pool_is_looked_at_again_right_before_acting() -> None:
    estate, doing = Estate(reserved=None), action("set-reserved-concurrency", value=10)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    estate.unreserved = 100
    with pytest.raises(Conflict, match="must stay"):
        compare_and_set.apply(doing, estate, taken)
    assert estate.reserved is None


def test_a_function_that_had_no_cap_has_none_afterwards() -> None:
    estate, doing = Estate(reserved=None), action("set-reserved-concurrency", value=10)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    compare_and_set.apply(doing, estate, taken)
    assert compare_and_set.rollback(doing, estate, taken)["summary"].endswith("10 → not set")
    assert estate.calls[-1] == "lambda:DeleteFunctionConcurrency"


@pytest.mark.parametrize("reserved", [0, 9, 10])
def test_lower_only_never_raises_a_cap(reserved: int) -> None:
    doing = action("set-reserved-concurrency", value=10, lower_only=True)
    with pytest.raises(Conflict, match=f"is {reserved} already"):
        compare_and_set.snapshot(doing, Estate(reserved=reserved))


@pytest.mark.parametrize("reserved", [None, 11])
def test_lower_only_caps_what_is_above(reserved: int | None) -> None:
    doing = action("set-reserved-concurrency", value=10, lower_only=True)
    assert compare_and_set.snapshot(doing, Estate(reserved=reserved))["snapshot"]["after"] == 10


def test_it_is_one_function_of_all_in_the_account() -> None:
    answer = compare_and_set.snapshot(action("set-reserved-concurrency"), Estate(functions=42))
    assert (answer["targets"], answer["of"]) == (1, 42)


@pytest.mark.parametrize(("reserved", "after"), [(50, 70), (90, 100), (99, 100)])
def test_a_cap_is_raised_up_to_its_bound(reserved: int, after: int) -> None:
    doing = action("set-reserved-concurrency", add=20, max=100)
    assert compare_and_set.snapshot(doing, Estate(reserved=reserved))["snapshot"]["after"] == after


@pytest.mark.parametrize(
    ("reserved", "why"),
    [(None, "would only cap it"), (0, "somebody stopped it"), (100, "no room below max 100"), (300, "no room")],
)
def test_what_raising_would_not_help_is_left_alone(reserved: int | None, why: str) -> None:
    doing = action("set-reserved-concurrency", add=20, max=100)
    with pytest.raises(Conflict, match=why):
        compare_and_set.snapshot(doing, Estate(reserved=reserved))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "give either value or add"),
        ({"value": 5, "add": 5, "max": 9}, "give either value or add"),
        ({"add": 5}, "add and max go together"),
        ({"value": 5, "max": 9}, "add and max go together"),
        ({"add": 5, "max": 9, "lower_only": True}, "lower_only goes with value"),
    ],
)
def test_parameters_that_do_not_go_together(given: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        prepared("set-reserved-concurrency", given, TARGETS["set-reserved-concurrency"], PLACE)
