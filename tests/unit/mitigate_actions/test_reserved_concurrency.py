"""Capping a function: the pool the other functions share, and functions without a cap."""

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import compare_and_set
from tests.unit.mitigate_actions.estate import Estate, action


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
