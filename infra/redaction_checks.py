"""What is wrong with a team's redaction patterns: they meet every text, so each must be fast and to the point."""

import re
import time
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT}
_REFUSED = {_constants.GROUPREF: "refers back to a group", _constants.GROUPREF_EXISTS: "refers back to a group"}
_MANY = 1000
_SIZES = (250, 500, 1000, 2000, 4000, 8000, 16_000)
_SECONDS = 0.05
_ORDINARY = (
    "Threshold Crossed: 2 out of the last 3 datapoints were greater than the threshold (50.0)",
    "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:checkout-5xx",
    "2026-03-01T12:00:00.000Z INC-7K3F9A SEV2",
)


def redaction_mistakes(data: Any) -> Iterator[tuple[tuple[int | str, ...], str]]:
    """(where, what) of each pattern that is slow, matches nothing at all, or takes out what people work with."""
    written = data.get("redaction") if isinstance(data, dict) else None
    patterns = written.get("patterns") if isinstance(written, dict) else None
    for number, pattern in enumerate(patterns if isinstance(patterns, list) else ()):
        regex = pattern.get("regex") if isinstance(pattern, dict) else None
        if isinstance(regex, str) and (message := mistake(regex)):
            yield ("redaction", "patterns", number, "regex"), message


def mistake(regex: str) -> str | None:
    """What is wrong with `regex`, or None; also None where it does not compile, which its model tells."""
    try:
        compiled, tree = re.compile(regex), _parser.parse(regex)
    except (re.error, RecursionError, OverflowError):
        return None
    if compiled.search(""):
        return "it matches the empty text, and so every text: say what must be there"
    if why := _structure(tree, inside=False):
        return f"it {why}, which can take for ever: write it without"
    if not _is_quick(compiled, tree):
        return "its time grows faster than the text: let no two repeats in a row match the same characters"
    for text in _ORDINARY:
        if found := compiled.search(text):
            return f"it would take {found[0][:40]!r} out of {text[:60]!r}, which people work with: be more specific"
    return None


def _structure(tree: Any, *, inside: bool) -> str | None:
    """Why a parsed expression is refused before it is ever tried: a repeat of repeats is exponential."""
    for operation, argument in tree:
        if operation in _REFUSED:
            return _REFUSED[operation]
        repeats = operation in _REPEATS and argument[1] > 1
        open_ended = operation in _REPEATS and argument[1] > _MANY
        if inside and repeats and argument[0] != argument[1]:
            return "repeats what repeats"
        for part in _parts(argument):
            if why := _structure(part, inside=inside or open_ended or (repeats and argument[1] > 10)):
                return why
    return None


def _parts(argument: Any) -> Iterator[Any]:
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for each in argument:
            yield from _parts(each)


def _is_quick(compiled: re.Pattern[str], tree: Any) -> bool:
    """Tried on ever longer texts of the characters it looks for; one that is linear takes all of them in no time."""
    for piece in {*_literals(tree), "a", "1", " ", "-", "a1", "1-", "a."}:
        for size in _SIZES:
            text = (piece * size)[:size] + "\n"
            start = time.process_time()
            compiled.sub("", text)
            if time.process_time() - start > _SECONDS:
                return False
    return True


def _literals(tree: Any) -> Iterator[str]:
    """Characters and words of the expression, by themselves and together."""
    word = ""
    for operation, argument in tree:
        if operation is _constants.LITERAL:
            word += chr(argument)
            yield chr(argument)
        else:
            for part in _parts(argument):
                yield from _literals(part)
    if word:
        yield word
