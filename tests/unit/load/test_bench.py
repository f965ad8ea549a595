"""What the bench measures with: nothing measured and nothing killed is no figure, and no difference is rounded away."""

import subprocess
import sys
from subprocess import PIPE
from uuid import uuid4

import pytest

from tests.load.counting import Count
from tests.load.million import apart
from tests.load.rows import row
from tests.load.workers import Workers, growth

STAYS = "print('here', flush=True); input()"
EQUAL = Count(["UpdateItem"] * 5, 5.0, 0.0, 100_000)


def test_a_kill_ends_those_of_one_target_and_is_refused_where_there_are_none() -> None:
    mine, other = uuid4().hex, uuid4().hex
    ours, theirs = (
        subprocess.Popen([sys.executable, "-c", STAYS], stdin=PIPE, stdout=PIPE, env={"BENCHED": value})
        for value in (mine, other)
    )
    with ours, theirs:
        for process in (ours, theirs):  # before it runs its environment may be empty
            assert process.stdout
            assert process.stdout.readline() == b"here\n"
        workers = Workers("BENCHED", mine)
        assert list(workers.megabytes()) == [ours.pid]
        assert workers.kill() == 1
        assert ours.wait(timeout=20) == -9
        assert theirs.poll() is None
        with pytest.raises(RuntimeError, match="nothing was killed"):
            workers.kill()


def test_memory_grows_in_what_was_there_both_times() -> None:
    assert growth({1: 50.0, 2: 100.0, 3: 10.0}, {1: 60.0, 2: 100.0, 4: 900.0}) == 1.2
    for before, after in (({}, {}), ({1: 50.0}, {2: 50.0}), ({1: 50.0}, {})):
        with pytest.raises(RuntimeError, match="not one is the same"):
            growth(before, after)


@pytest.mark.parametrize(
    "other",
    [
        Count(EQUAL.operations[1:], 5.0, 0.0, 100_000),
        Count(EQUAL.operations, 5.5, 0.0, 100_000),
        Count(EQUAL.operations, 5.0, 0.0, 99_999),
        Count(EQUAL.operations, 5.0, 0.0, 100_001),
    ],
)
def test_more_and_less_are_both_not_equal(other: Count) -> None:
    name = "dedupe_cost_ratio_1m_over_10_open"
    assert not row(name, apart(EQUAL, EQUAL)).missed
    assert row(name, apart(EQUAL, other)).missed
    assert row(name, apart(other, EQUAL)).missed
