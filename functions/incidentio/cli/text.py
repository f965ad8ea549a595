"""What others wrote, made harmless for a terminal."""

import unicodedata

_SHOWN_AS = {"\n": " ", "\t": " ", "\r": " "}
# Format characters that change the order or the look of the text around them.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = frozenset("\u200d\ufe0f")


def inert(text: object, *, limit: int | None = None) -> str:
    """`text` on one line, without control, escape or direction characters; cut to `limit` with an ellipsis.

    A title comes from whoever may publish a signal: it must not move the cursor, colour the
    screen, write the clipboard or reorder what stands next to it.
    """
    shown = "".join(_harmless(character) for character in str(text))
    return shown if limit is None or len(shown) <= limit else f"{shown[: limit - 1]}…"


def inert_block(text: str) -> str:
    """The same for text of several lines, which it keeps."""
    return "\n".join(inert(line) for line in text.splitlines())


def _harmless(character: str) -> str:
    if character in _SHOWN_AS:
        return _SHOWN_AS[character]
    if character in _JOINERS or unicodedata.category(character) not in _REFUSED_CATEGORIES:
        return character
    return "\N{REPLACEMENT CHARACTER}"
