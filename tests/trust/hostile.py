# ruff: noqa: E501 - what is hostile is not broken into lines
"""Texts that try to be more than text, and documents with one of them in every place."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

SECRET = "hunter2-S3cr3t"
WITH_A_SECRET = f"cannot connect: password={SECRET}"
PIECES = (
    "\r\nBcc: everybody@example.com\r\n\r\n", "{{7*7}}", "${jndi:ldap://x/a}", "$.detail.secret", "<aws.events.event>",
    "<script>alert(1)</script>", "[click](javascript:alert(1))", "![x](http://evil.example.com/x.png)", "| a | b |\n|---|---|",
    "\u202egnp.exe", "\u200b\u2066\u2069", "\x1b[2J\x1b]0;title\x07", "\x00", "😀" * 40, "\ud800", "%s%n%x", "'; DROP TABLE x;--",
    "../../etc/passwd", "`rm -rf /`", "$(id)", "=cmd|'/c calc'!A1", "&lt;b&gt;", "\u2028{}", "a" * 5000, "",
)  # fmt: skip
_PROSE = re.compile(r"(?i)^(reason|newStateReason|description|cause|message|title|errorMessage|stoppedReason)$")
ODD = (None, True, 0, -1, 1e308, [], {}, [[]], {"a": {"a": {}}}, "x")

names = st.one_of(
    st.sampled_from(PIECES),
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join),
)
values = st.one_of(names, st.sampled_from(ODD))


def deep(levels: int) -> Any:
    found: Any = "x"
    for _ in range(levels):
        found = {"a": found}
    return found


def places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value, those within JSON texts too (`json` marks the step into one)."""
    inner = _decoded(document)
    if inner is not document:
        yield from places(inner, (*at, "json:"))
        return
    if at:
        yield at
    steps = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, value in steps:
        yield from places(value, (*at, step))


def is_prose(at: tuple[Any, ...]) -> bool:
    """Whether people write sentences there. What names something is an identity, and is kept as it is or refused."""
    return bool(_PROSE.search(str(at[-1])))


def put(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    """A copy of `document` with `value` at that place."""
    if not at:
        return value
    if at[0] == "json:":
        return json.dumps(put(_decoded(document), at[1:], value))
    copied = deepcopy(document)
    copied[at[0]] = put(copied[at[0]], at[1:], value)
    return copied


def _decoded(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
