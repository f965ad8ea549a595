"""What a run may be given for a parameter."""

from typing import Any

import pytest

from incidentio.core.playbook import Parameter


@pytest.mark.parametrize(("given", "means"), [("live", "live"), (3, "3"), ("007", "007")])
def test_a_number_stands_for_its_digits_where_a_text_is_wanted(given: Any, means: str) -> None:
    assert Parameter(type="string", pattern="[a-z0-9]+").checked("alias", given) == means


@pytest.mark.parametrize("given", [True, None, ["live"], "x" * 257])
def test_nothing_else_is_a_text(given: Any) -> None:
    with pytest.raises(ValueError, match="alias must be a text"):
        Parameter(type="string").checked("alias", given)


def test_the_digits_must_fit_too() -> None:
    with pytest.raises(ValueError, match="must match"):
        Parameter(type="string", pattern="[a-z]+").checked("alias", 3)


@pytest.mark.parametrize("given", ["3", True, 3.0])
def test_a_number_must_be_one(given: Any) -> None:
    with pytest.raises(ValueError, match="limit must be an integer"):
        Parameter(type="integer").checked("limit", given)
