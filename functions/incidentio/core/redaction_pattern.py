"""What a rule of the redaction is made of."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple


class Late:
    """A pattern that is compiled when the first text needs it, which most never do: a cold start waits for none."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self._pattern, self._flags = pattern, flags

    @cached_property
    def ready(self) -> re.Pattern[str]:
        return re.compile(self._pattern, self._flags)


class Rule(NamedTuple):
    """`hints`: lower-case substrings, one of which must be there."""

    hints: tuple[str, ...]
    pattern: Late
    replacement: str | Callable[[re.Match[str]], str]
