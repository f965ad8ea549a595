"""Numbers with their noun."""

import pytest

from incidentio.core.counted import counted, fire


def test_one_is_one() -> None:
    assert (counted(1, "signal"), counted(2, "signal"), counted(0, "signal")) == ("1 signal", "2 signals", "0 signals")


@pytest.mark.parametrize(
    ("firing", "members", "said"),
    [
        (1, 1, "its signal fires"),
        (0, 1, "its signal is ok"),
        (1, 3, "1 of its 3 signals fires"),
        (2, 3, "2 of its 3 signals fire"),
        (0, 3, "none of its 3 signals fires"),
    ],
)
def test_how_many_signals_fire(firing: int, members: int, said: str) -> None:
    assert fire(firing, members) == said
