"""Tells what happens while it happens, with the time since the demo started."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from incidentio.cli.text import inert, inert_block

_WHO_WIDTH = 10


class Narrator:
    """Every line has the seconds elapsed and who or what is speaking."""

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._started = clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def chapter(self, title: str) -> None:
        """A new part of the story."""
        self._console.print()
        self._console.print(Text(inert(title), style="bold"))

    def did(self, text: str) -> None:
        """Something the demo itself did."""
        self._line("demo", text, "")

    def entry(self, entry: Mapping[str, Any]) -> None:
        """A timeline entry of the incident."""
        self._line("incident", entry["text"], "cyan")

    def checked(self, text: str) -> None:
        """Something read back from AWS, and right."""
        self._line("AWS ✓", text, "green")

    def person(self, name: str, text: str) -> None:
        """Something a person did."""
        self._line(name, text, "magenta")

    def document(self, text: str) -> None:
        """A document, indented."""
        for line in inert_block(text).splitlines():
            self._console.print(Text(f"    {line}", style="dim"))

    def _line(self, who: str, text: object, style: str) -> None:
        line = Text(f"{self.elapsed:6.1f} s  ", style="dim")
        line.append(f"{who:<{_WHO_WIDTH}}", style=style)
        self._console.print(line + Text(inert(text)))
