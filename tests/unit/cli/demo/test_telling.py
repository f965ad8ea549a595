"""How the demo waits and talks; what it tells is tested by running it."""

import io

import pytest
from rich.console import Console

from incidentio.cli.demo.expect import DemoFailedError, require, wait_for
from incidentio.cli.demo.narrator import Narrator


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def test_a_wait_returns_what_it_waited_for() -> None:
    clock, looks = Clock(), iter([None, None, "there"])
    assert wait_for("it", lambda: next(looks), seconds=5, clock=clock, pause=clock.pause) == "there"


def test_a_wait_that_is_over_says_what_did_not_happen() -> None:
    clock = Clock()
    with pytest.raises(DemoFailedError, match="waited 5 s for the alarm to fire"):
        wait_for("the alarm to fire", lambda: None, seconds=5, clock=clock, pause=clock.pause)


def test_the_story_goes_on_while_waiting_and_once_more_at_the_end() -> None:
    clock, told = Clock(), []
    looks = iter([None, "there"])
    wait_for("it", lambda: next(looks), seconds=5, meanwhile=lambda: told.append(1), clock=clock, pause=clock.pause)
    assert len(told) == 3


def test_a_requirement_fails_the_demo() -> None:
    require("something", "never")
    with pytest.raises(DemoFailedError, match="nothing was archived"):
        require(None, "nothing was archived")


def test_lines_have_the_time_and_who_speaks_and_are_inert() -> None:
    clock, written = Clock(), io.StringIO()
    narrator = Narrator(Console(file=written, width=200, markup=False), clock=clock)
    clock.now += 12.34
    narrator.entry({"text": "fires \x1b[2J[red]"})
    assert written.getvalue() == "  12.3 s  incident  fires \N{REPLACEMENT CHARACTER}[2J[red]\n"
