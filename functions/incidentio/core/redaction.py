"""Redaction: what must never reach a table, a log, a page or an archive is taken out of every text first.

Two things happen to a text: it is made inert (no line breaks or control characters that could
forge a log line or a mail header, nothing that is not valid UTF-8), and secrets and personal data
are replaced by `[redacted:what]`. ARNs, account ids, timestamps, incident ids and metric numbers
stay as they are: people work with them at 3 a.m.

Every pattern is linear in the length of the text. Each is tried only when one of its hint words is
there at all, so an ordinary alarm text costs a few substring searches.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from incidentio.core.own_patterns import RedactionPattern

MAX_DEPTH = 8
MAX_ITEMS = 200

_LINE_BREAKS = re.compile(r"\r\n|[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_WORDS = (
    "password|passwd|passphrase|pwd|secret|token|credential|credentials|signature|authorization"
    r"|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|auth[_-]?key|client[_-]?key"
)
_SENSITIVE_NAME = re.compile(rf"(?i)[\w.-]*(?:{_WORDS})")


def redact(text: str, *, limit: int, multiline: bool = False) -> str:
    """`text`, inert, without secrets and personal data, at most `limit` bytes of UTF-8.

    A text that is too long is cut between characters and ends in `…`. `multiline` keeps line feeds
    (a document); everything else becomes one line.
    """
    if not (text.isascii() and text.isprintable()):
        text = _inert(text, multiline)
    lower = text.lower()
    for rule in _RULES:
        if any(hint in lower for hint in rule.hints) if rule.hints else _DIGITS.search(text):
            text = rule.pattern.sub(rule.replacement, text)
    for pattern, mark in _OWN.patterns():
        text = pattern.sub(mark, text)
    return _cut(text, limit)


def configure(patterns: Iterable[RedactionPattern]) -> None:
    """Take out what these match as well, from now on in this process, instead of what the deployment's bundle says."""
    _OWN.given = tuple((re.compile(p.regex), f"[redacted:{p.name}]") for p in patterns)


def redact_data(data: Mapping[str, Any], *, limit: int = 1024) -> dict[str, Any]:
    """A JSON-like mapping with every text in it redacted (keys too), at most 8 deep and 200 wide.

    A text under a name that says what it is (`password`, `api_key`, …) goes whole, whatever it looks like.
    """
    return _mapping(data, limit, MAX_DEPTH)


def _mapping(data: Mapping[str, Any], limit: int, depth: int) -> dict[str, Any]:
    found = {}
    for name, value in list(data.items())[:MAX_ITEMS]:
        key = redact(str(name), limit=128)
        sensitive = isinstance(value, str) and _SENSITIVE_NAME.fullmatch(str(name))
        found[key] = "[redacted:value]" if sensitive else _value(value, limit, depth - 1)
    return found


def _value(value: Any, limit: int, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return _mapping(value, limit, depth) if depth > 0 else "[too deep]"
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(v, limit, depth - 1) for v in list(value)[:MAX_ITEMS]] if depth > 0 else "[too deep]"
    return redact(str(value), limit=limit)


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
            from incidentio.core.catalog import load_bundle  # noqa: PLC0415 - the models of the catalogue stand on this

            configure(load_bundle().catalog.routing.redaction.patterns)
        return self.given or ()


_OWN = _Own()


# --- what is taken out


def _basic(match: re.Match[str]) -> str:
    """`Basic` is an English word too: only base64 of something with a colon is a credential."""
    try:
        plain = b64decode(match[2] + "=" * (-len(match[2]) % 4), validate=True)
    except (Base64Error, ValueError):
        return match[0]
    return f"{match[1]} [redacted:credentials]" if b":" in plain else match[0]


def _bearer(match: re.Match[str]) -> str:
    looks_random = len(match[2]) >= 20 or any(c.isdigit() for c in match[2])
    return f"{match[1]} [redacted:token]" if looks_random else match[0]


def _assignment(match: re.Match[str]) -> str:
    """A bare colon also joins the parts of an ARN (`…:secret:name`), so only a password may follow one."""
    name, separator, value = match["name"], match["separator"], match["value"]
    bare = separator == ":" and not name.lower().endswith(("password", "passwd", "pwd", "passphrase"))
    if bare or value.startswith("[redacted:"):
        return match[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{name}{separator}{quote}[redacted:value]{quote}"


def _aws_secret(match: re.Match[str]) -> str:
    """Forty base64 characters are a secret key when they look drawn at random; names and hex digests do not."""
    text = match[0]
    kinds = ["u" if c.isupper() else "l" if c.islower() else "d" if c.isdigit() else "s" for c in text]
    changes = sum(a != b for a, b in pairwise(kinds))
    enough = 14 if "s" in kinds else 19
    return "[redacted:aws-secret]" if changes >= enough and {"u", "l", "d"} <= set(kinds) else text


def _personal(match: re.Match[str]) -> str:
    if match["email"]:
        return "[redacted:email]"
    if match["phone"]:
        digits = sum(c.isdigit() for c in match["phone"])
        return "[redacted:phone]" if 8 <= digits <= 15 and not _DATE.search(match["phone"]) else match[0]
    if match["card"]:
        return "[redacted:card]" if _is_card("".join(c for c in match["card"] if c.isdigit())) else match[0]
    return match[0]


_DATE = re.compile(r"\d{4}-\d\d")
_CARD_PREFIX = re.compile(r"4|5[1-5]|2[2-7]|3[04-9]|6")


def _is_card(digits: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1) behind a prefix that card schemes use."""
    if not 13 <= len(digits) <= 19 or not _CARD_PREFIX.match(digits):
        return False
    total = 0
    for i, c in enumerate(reversed(digits)):
        n = int(c) * (1 + i % 2)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


_DIGITS = re.compile(r"\+\d|\d{13}|\d{4}[ -]\d{4,6}[ -]\d|\d{3}\)?[ .-]\d{3}[.-]\d{4}|@")


@dataclass(frozen=True, slots=True)
class _Rule:
    """`hints`: lower-case substrings, one of which must be there (none: digits that could be personal)."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]


_RULES = (
    _Rule(
        ("-----begin",),
        re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL),
        "[redacted:pem]",
    ),
    _Rule(("eyj",), re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?(?:\.[\w-]*){0,2}"), "[redacted:jwt]"),
    _Rule(("://",), re.compile(r"://[^\s/?#\"'<>]+@"), "://[redacted:credentials]@"),
    _Rule(
        ("akia", "asia", "abia", "acca"), re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"), "[redacted:aws-key]"
    ),
    _Rule(
        ("iqoj", "fwog", "fqog"), re.compile(r"\b(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=]{50,}"), "[redacted:aws-session-token]"
    ),
    _Rule(
        ("_", "-", "aiza", "sg.", "hooks."),
        re.compile(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}"
            r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|sk-[\w-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}"
            r"|iio_[a-z][a-z0-9-]{0,39}_[0-9a-f]{64}|whsec_[A-Za-z0-9+/]{20,}={0,2}"
            r"|AIza[\w-]{35}|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_[a-f0-9]{40,}|hvs\.[\w-]{20,}"
            r"|hooks\.slack\.com/services/\w{1,20}/\w{1,20}/\w{16,})"
        ),
        "[redacted:token]",
    ),
    _Rule(("basic",), re.compile(r"(?i)\b(basic)\s+([A-Za-z0-9+/]{6,}={0,2})"), _basic),
    _Rule(("bearer", "token"), re.compile(r"(?i)\b(bearer|token)\s+([\w.~+/-]{8,}=*)"), _bearer),
    _Rule(
        ("--",),
        re.compile(rf"(?i)(?<![\w-])(?P<name>--(?:[a-z]{{1,20}}-){{0,4}}(?:{_WORDS}))\s(?!-)[^\s\"']++"),
        r"\g<name> [redacted:value]",
    ),
    _Rule(
        ("pass", "pwd", "secret", "token", "credential", "signature", "authorization", "key"),
        re.compile(
            rf"(?i)(?P<name>(?:{_WORDS}))(?P<separator>[\"']?(?:\s?=>?\s?|:\s|\"?:\s?(?=[\"'])|:))"
            r"(?P<value>\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?|[^\s,;&\"'<>)}\]]++\]?)"
        ),
        _assignment,
    ),
    _Rule(("/", "+", *"0123456789"), re.compile(r"(?<![\w/+=:.-])[A-Za-z0-9/+]{40}(?![\w/+=:.-])"), _aws_secret),
    _Rule(
        (),
        re.compile(
            r"(?P<arn>arn:aws[\w-]*:[^\s\"',]++)"
            r"|(?P<email>(?<![\w.%+-])(?!git@[\w.-]+:)[\w.%+-]++@(?:[\w-]+\.)+[^\W\d_]{2,24})"
            r"|(?P<phone>(?<![\w+])\+\d[\d ().-]{6,20}\d(?!\w)"
            r"|(?<![\w.:/+-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[.-]\d{4}(?![\w-]|\.\d))"
            r"|(?P<card>(?<![\w.+-])(?:\d{4}([ -])\d{4}\5\d{4}\5\d{4}|3\d{3}[ -]\d{6}[ -]\d{5}|\d{13,19})"
            r"(?![\w-]|\.\d| ?(?:ns|us|ms|bytes)\b))"
        ),
        _personal,
    ),
)
