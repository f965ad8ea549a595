"""Redaction: what must never reach a table, a log, a page or an archive is taken out of every text first.

Two things happen to a text: it is made inert (no line breaks or control characters that could
forge a log line or a mail header, nothing that is not valid UTF-8), and secrets and personal data
are replaced by `[redacted:what]`. ARNs, account ids, timestamps, incident ids and metric numbers
stay as they are: people work with them at 3 a.m.

The rules are tried each only when one of its hint words is there at all, so an ordinary alarm text costs a few
substring searches. Their time is linear in the length of the text, and of a text that is very much longer than what
may be kept of it only the beginning is read.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from incidentio.core.own_patterns import RedactionPattern
from incidentio.core.redaction_rules import PERSONAL, PERSONAL_DIGITS, RULES, is_sensitive, personal

MAX_DEPTH = 8
MAX_ITEMS = 200

_LINE_BREAKS = re.compile(r"\r\n|[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_READ_AHEAD = 64 * 1024
_UNSEEN = 16 * 1024
_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_])\s(?=[^\W\d_])")


def redact(text: str, *, limit: int, multiline: bool = False) -> str:
    """`text`, inert, without secrets and personal data, at most `limit` bytes of UTF-8.

    A text that is too long is cut between characters and ends in `…`. `multiline` keeps line feeds
    (a document); everything else becomes one line.
    """
    beginning = _beginning(text, limit + _READ_AHEAD, multiline) if len(text) > limit + _READ_AHEAD else ""
    return _cut(beginning if len(beginning) > limit + _UNSEEN else _redacted(text, multiline), limit)


def is_clean(text: str) -> bool:
    """Whether nothing would be taken out of `text`, nor made inert: what has to be kept as it is, or not at all."""
    return _redacted(text, multiline=False) == text


def configure(patterns: Iterable[RedactionPattern]) -> None:
    """Take out what these match as well, from now on in this process, instead of what the deployment's bundle says."""
    _OWN.given = tuple((re.compile(p.regex), f"[redacted:{p.name}]") for p in patterns)


def redact_data(data: Mapping[str, Any], *, limit: int = 1024) -> dict[str, Any]:
    """A JSON-like mapping with every text in it redacted (keys too), at most 8 deep and 200 wide.

    What is under a name that says what it is (`password`, `api_key`, …) goes whole, whatever it looks like.
    """
    return _mapping(data, limit, MAX_DEPTH)


def _mapping(data: Mapping[str, Any], limit: int, depth: int) -> dict[str, Any]:
    found = {}
    said = str(data.get("name", ""))  # {"name": "DB_PASSWORD", "value": "…"}
    for name, value in list(data.items())[:MAX_ITEMS]:
        key = redact(str(name), limit=128)
        harmless = value is None or isinstance(value, bool) or not is_sensitive(said if name == "value" else str(name))
        found[key] = _value(value, limit, depth - 1) if harmless else "[redacted:value]"
    return found


def _value(value: Any, limit: int, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return _mapping(value, limit, depth) if depth > 0 else "[too deep]"
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(v, limit, depth - 1) for v in list(value)[:MAX_ITEMS]] if depth > 0 else "[too deep]"
    return redact(str(value), limit=limit)


def _redacted(text: str, multiline: bool) -> str:
    if not (text.isascii() and text.isprintable()):
        text = _inert(text, multiline)
    lower = text.lower()
    for hints, pattern, replacement in RULES:
        for hint in hints:
            if hint in lower:
                text = pattern.ready.sub(replacement, text)
                break
    if PERSONAL_DIGITS.ready.search(text):
        text = PERSONAL.ready.sub(personal, text)
    for own, mark in _OWN.patterns():
        text = own.sub(mark, text)
    return text


def _beginning(text: str, length: int, multiline: bool) -> str:
    """The redacted beginning, `length` or more, cut between two words: in no key, number, address or URL.

    What a secret that goes on behind the cut leaves unrecognised is at its very end, so that has to stay unseen.
    """
    end = _BETWEEN_WORDS.search(text, length)
    return _redacted(text[: end.start()], multiline) if end else ""


def _inert(text: str, multiline: bool) -> str:
    if multiline:
        text = "\n".join(_LINE_BREAKS.sub(" ", line) for line in re.split(r"\r\n|\r|\n", text))
    else:
        text = _LINE_BREAKS.sub(" ", text)
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def _cut(text: str, limit: int) -> str:
    if len(text) * 4 <= limit or len(raw := text.encode()) <= limit:
        return text
    mark = "…" if limit >= 3 else ""
    return raw[: limit - len(mark.encode())].decode(errors="ignore") + mark


class _Own:
    """A team's own patterns: those of the bundle, read when the first text comes."""

    given: tuple[tuple[re.Pattern[str], str], ...] | None = None

    def patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        if self.given is None:
            from incidentio.core.catalog import load_catalog  # noqa: PLC0415 - the models of the catalogue stand on this

            configure(load_catalog().routing.redaction.patterns)
        return self.given or ()


_OWN = _Own()
