"""What is taken out of texts: one rule for each form of a secret or of personal data.

Every pattern is linear in the length of the text. A repeat that could start again inside the run it has just read may
start at the run's beginning alone (a lookbehind), and gives nothing back (`++`).
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from itertools import pairwise

from incidentio.core.redaction_pattern import Late, Rule
from incidentio.core.redaction_phones import CALLED, PHONE, PHONE_DIGITS, is_phone
from incidentio.core.redaction_tokens import TOKENS

# --- names that say what their value is

_WORDS = (
    r"(?=[pstca])(?:"
    r"pass(?:word|wd|phrase|(?<=_pass)(?<!first_pass)(?<!second_pass)(?<!last_pass)(?<!by_pass)"
    r"|(?-i:(?<=[a-z0-9]Pass)))"
    r"|pwd(?:(?<=_pwd)|(?!=/))|secret(?:[_-]?key)?|t(?<!unexpected\ t)oken|credentials?|signature|authorization"
    r"|cookie(?![_-])"
    r"|(?:api|access|private|auth|client|account|app|application|signing|subscription)(?:[_-]?key|\ key(?=\\*[\"']))"
    r")"
)
_NAME_HINTS = ("pass", "pwd", "secret", "token", "credential", "signature", "authorization", "cookie", "key")
_NAMED = Late(rf"(?i)(?:{_WORDS}|passwords|\b(?:api|access|secret|private|auth|client) key)(?![a-z])")
_ABOUT = Late(
    r"(?i)[_. -]?(?:id|name|arn|type|kind|version|count|total|length|size|age|ttl|url|uri|path|file|policy|stat|expir"
    r"|valid|last|rotat|reset|creat|updat|chang|enabl|requir|limit|usage|used|date|days|hours|minutes|seconds"
    r"|provider|issuer|algorithm|scope|source|method|format)"
)


def is_sensitive(name: str) -> bool:
    """Whether a name says that its value is a secret (`db/password_1`), and not something about one (`token_ttl`)."""
    lower = name.lower()
    if not any(hint in lower for hint in _NAME_HINTS):
        return False
    found = list(_NAMED.ready.finditer(name))
    return bool(found) and not _ABOUT.ready.match(name, found[-1].end())


# --- values behind such a name

_MARK = r"\[redacted:[\w-]++\]"
_STRING = r"\"(?:[^\"\\]|\\.)*+\"?"


def _brackets(depth: int) -> str:
    """A list or an object up to its closing bracket; up to the end of the text where it is not closed, or too deep."""
    inner = _brackets(depth - 1) if depth else r"[\[{](?s:.*+)"
    return rf"[\[{{](?:{_STRING}|\\.|[^\[\]{{}}\"\\]|{inner})*+[\]}}]?"


_QUOTED = rf"{_STRING}|'(?:[^'\\]|\\.)*+'?"
_ESCAPED = (  # JSON in JSON: a quote behind more backslashes than the first one has is part of the text
    r"(?P<escape>\\++)(?P<mark>[\"'])"
    r"(?:(?!(?P=mark))[^\\]|(?!(?P=escape)(?P=mark))\\++(?P=mark)?)*+(?:(?P=escape)(?P=mark))?"
)
_PLAIN = (  # one mark of punctuation in the middle belongs to it, unless another name with a value follows
    rf"(?:{_MARK}|[^\s,;&\"'<>)}}\]]|[,;&\"'<>)}}\]](?=\w)(?![a-zA-Z_][\w.-]{{0,39}}+[=:]))++"
)
_GAP = r"\s?[^\S\n]*+"
_VALUE_OF = rf"(?<=[\"']),{_GAP}\\*+[\"']value\\*+[\"']{_GAP}:"  # {"name": "DB_PASSWORD", "value": "…"}
_NEXT = rf"[\w-]{{0,20}}{_WORDS}[:=]\s"  # the name of another one, with its value behind it
_ASSIGNED = Late(
    rf"(?i)(?P<name>{_WORDS})"
    rf"(?P<separator>(?:\\*+[\"'])?{_GAP}(?:{_VALUE_OF}|={{1,3}}+>?|:=?|%3D(?:%20)*+|%3A(?:%20)*+){_GAP})"
    rf"(?P<value>{_MARK}|{_ESCAPED}|{_QUOTED}|{_brackets(4)}|(?!{_NEXT}){_PLAIN})"
)
_STATE = Late(
    r"(?i)(?:none|null|nil|undefined|true|false|empty|missing|required|optional|unset|expired|invalid|incorrect|wrong|failed"
    r"|denied|rejected|revoked|rotated|disabled|enabled|unknown)(?:[,;][a-z]{0,12})?[.,:;!]*"
)
_PORT = Late(r"\d{1,5}:?")
_COUNT = Late(r"\d{1,4}(?:\.\d+)?%?[.,:;]?")
_WORD = r"(?:[a-z]{1,12}|[A-Z]{1,12}|[A-Z][a-z]{1,11})"
_WORD_OR_VERSION = Late(rf"v\d+(?:\.\d+)*|{_WORD}(?:[/-]{_WORD})*")
_NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"


def _assigned(match: re.Match[str]) -> str:
    name, separator, value = match["name"], match["separator"], match["value"]
    if value.startswith("[redacted:") or _STATE.ready.fullmatch(value) or not value.strip(":`.,;"):
        return match[0]
    if separator == ":" and not name.lower().startswith(("pass", "pwd")) and _is_part_of_a_name(match):
        return match[0]
    if name.lower() == "pass" and _COUNT.ready.fullmatch(value):
        return match[0]
    if name.lower() == "authorization" and _SCHEME.ready.fullmatch(value):
        return match[0]
    quote = f"{match['escape'] or ''}{match['mark']}" if match["mark"] else value[0] if value[0] in "\"'" else ""
    return f"{name}{separator}{quote}[redacted:value]{quote}"


def _is_part_of_a_name(match: re.Match[str]) -> bool:
    """A bare colon also joins the parts of an ARN (`…:secret:name`), an image (`team/token:v2`) and host and port."""
    read = match.string[max(0, match.start() - 200) : match.start()]
    before, value = read.rstrip(_NAME_CHARACTERS), match["value"]
    if read[len(before) :].lower().startswith("x-"):  # a header
        return False
    named = _PORT.ready.fullmatch(value) or _WORD_OR_VERSION.ready.fullmatch(value)
    return before.endswith((":", "/")) or value.startswith(":") or named is not None


# --- headers, whose value goes on behind a blank

_SCHEME = Late(
    r"(?i)api-?key|genie-?key|bearer|basic|digest|token|jwt|negotiate|ntlm|splunk|ssws|oauth|hawk|mac|key|aws"
    r"|sharedkey(?:lite)?|[\w-]{0,20}hmac[\w-]{0,20}"
)
_PARAMETER = r"[\w-]{1,40}=(?:\\*+\"[^\"\\]*+\\*+\"?|[^\s,\"'\\]*+)"
_AUTHORIZATION = Late(
    rf"(?i)(?P<name>authorization(?:{_GAP}[:=]{_GAP}|\\*+[\"'],{_GAP}\\*+[\"']))(?P<scheme>[a-z][\w-]{{1,30}}+)\s++"
    r"(?=[\w+/$~.-]|\[redacted)(?![\w-]{1,40}+:(?:\s|\Z))"
    rf"(?P<value>{_PARAMETER}(?:,\s*+{_PARAMETER})++|{_PLAIN})"
)
_COOKIE = Late(
    rf"(?i)(?P<name>cookie{_GAP}[:=]{_GAP}|cookie\\*+[\"'],{_GAP}\\*+[\"'])"
    r"[^\s=;,\"'\[]{1,256}+=[^\s;\"']*+(?:;\s?[^\s=;,\"']++(?:=[^\s;\"']*+)?)*+"
)
_ABOUT_A_SCHEME = Late(  # a word, or where a shell finds the secret
    r"(?i)(?:tokens?|auth|authentication|authorization|headers?|schemes?|credentials?|certificates?)[.,:;]?"
    r"|(?-i:\$(?:[({].*|[A-Z][A-Z0-9_]*))"
)
_DRAWN = Late(r"(?=.*\d)(?=.*[A-Za-z]).{8,}")


def _authorization(match: re.Match[str]) -> str:
    """The scheme and what follows it, where the scheme is known or what follows does not look like a word."""
    scheme, value = match["scheme"], match["value"]
    if _STATE.ready.fullmatch(value) or _ABOUT_A_SCHEME.ready.fullmatch(value):
        return match[0]
    if not _SCHEME.ready.fullmatch(scheme) and (_STATE.ready.fullmatch(scheme) or not _DRAWN.ready.fullmatch(value)):
        return match[0]
    return f"{match['name']}[redacted:value]"


# --- values that show by themselves what they are


def _basic(match: re.Match[str]) -> str:
    """`Basic` is an English word too: only base64 of something with a colon is a credential."""
    try:
        plain = b64decode(match[2] + "=" * (-len(match[2]) % 4), validate=True)
    except (Base64Error, ValueError):
        return match[0]
    return f"{match[1]} [redacted:credentials]" if b":" in plain else match[0]


def _bearer(match: re.Match[str]) -> str:
    """A word may follow as well: `bearer certificates`."""
    value = match[2]
    looks_random = len(value) >= 20 or any(c.isdigit() for c in value) or set(value.lower()) <= set("abcdef")
    return f"{match[1]} [redacted:token]" if looks_random else match[0]


def _aws_secret(match: re.Match[str]) -> str:
    """Forty base64 characters are a secret key when they look drawn at random; names and hex digests do not."""
    text, start = match[0], match.start()
    kinds = ["u" if c.isupper() else "l" if c.islower() else "d" if c.isdigit() else "s" for c in text]
    changes = sum(a != b for a, b in pairwise(kinds))
    enough = 14 if "s" in kinds else 19
    if changes < enough or not {"u", "l", "d"} <= set(kinds):
        return text
    in_an_arn = match.string[start - 1 : start] == ":" and _ARN.ready.search(match.string[max(0, start - 300) : start])
    return text if in_an_arn else "[redacted:aws-secret]"


_ARN = Late(r"arn:aws[^\s\"',;=]*+\Z")


def personal(match: re.Match[str]) -> str:
    if match["email"]:
        return "[redacted:email]"
    if match["phone"]:
        return "[redacted:phone]" if is_phone(match) else match[0]
    if match["card"]:
        return "[redacted:card]" if _is_card("".join(c for c in match["card"] if c.isdigit())) else match[0]
    return match[0]


_CARD_PREFIX = Late(r"4|5[1-5]|2[2-7]|3[04-9]|6")


def _is_card(digits: str) -> bool:
    """Luhn's check (ISO/IEC 7812-1) behind a prefix that card schemes use."""
    if not 13 <= len(digits) <= 19 or not _CARD_PREFIX.ready.match(digits):
        return False
    total = 0
    for i, c in enumerate(reversed(digits)):
        n = int(c) * (1 + i % 2)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


RULES = (
    Rule(
        ("---- begin", "-----begin", "private-lines:"),
        Late(
            r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)"
            r"|---- BEGIN [A-Z0-9 ]{1,40} ----.*?(?:---- END [A-Z0-9 ]{1,40} ----|\Z)"  # RFC 4716
            r"|(?<=Private-Lines: )\d{1,3}\s.*?(?=Private-MAC|\Z)",  # PuTTY
            re.DOTALL,
        ),
        "[redacted:pem]",
    ),
    Rule(
        ("eyj",),
        Late(
            r"(?<![\w-])(?P<before>(?:(?!(?:(?<![A-Za-z])|(?<=%3D))eyJ)[\w-])*+)"
            r"eyJ[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*+){0,3}"
        ),
        r"\g<before>[redacted:jwt]",
    ),
    Rule(
        ("://", ":\\"),
        Late(r"(?P<slashes>:(?:\\*+/){2})[^\s/?#\"'<>]+@"),
        r"\g<slashes>[redacted:credentials]@",
    ),
    Rule(
        ("%2f%2f",),
        Late(
            r"(?i)(?P<slashes>%3A%2F%2F)(?:(?:[^\s/?#\"'<>&%]|%(?!40|2F|3F|23|20|22|27))*+(?P<at>%40))+",
        ),
        r"\g<slashes>[redacted:credentials]\g<at>",
    ),
    Rule(
        ("akia", "asia", "abia", "acca"),
        Late(r"(?:(?<![A-Z0-9])|(?<=%[0-9A-F]{2}))(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
        "[redacted:aws-key]",
    ),
    Rule(
        ("iqoj", "fwog", "fqog"),
        Late(r"(?<![A-Za-z0-9])(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/=]{50,}"),
        "[redacted:aws-session-token]",
    ),
    *TOKENS,
    Rule(("basic",), Late(r"(?i)\b(basic)\s++([A-Za-z0-9+/]{6,}={0,2})"), _basic),
    Rule(
        ("bearer", "token", "apikey", "geniekey", "ssws"),
        Late(r"(?i)\b(bearer|token|apikey|geniekey|ssws)\s++([\w.~+/-]{8,}=*)"),
        _bearer,
    ),
    Rule(
        ("--",),
        Late(
            rf"(?i)(?<![\w-])(?P<name>--(?:[a-z]{{1,20}}-){{0,4}}(?:{_WORDS}|pass))\s++(?!-)"
            rf"(?:{_MARK}|{_ESCAPED}|{_QUOTED}|(?:[^\s\"'\\]|\\[^\s\"']|[\"'](?=\w))++)"
        ),
        r"\g<name> [redacted:value]",
    ),
    Rule(("authorization",), _AUTHORIZATION, _authorization),
    Rule(("cookie",), _COOKIE, r"\g<name>[redacted:value]"),
    Rule(_NAME_HINTS, _ASSIGNED, _assigned),
    Rule(("/", "+", *"0123456789"), Late(r"(?<![\w/+.-])[A-Za-z0-9/+]{40}(?![\w/+=:.-])"), _aws_secret),
    Rule(
        ("%40",),
        Late(r"(?<![\w.%+-])(?:[\w.+-]|%(?!40))++%40(?:[\w-]++\.)+[^\W\d_]{2,24}"),
        "[redacted:email]",
    ),
    CALLED,
)

PERSONAL_DIGITS = Late(rf"(?=[+@\d])(?:\d{{13}}|\d{{4}}[ -]\d{{4,6}}[ -]\d|@|{PHONE_DIGITS})")
PERSONAL = Late(
    r"(?P<arn>arn:aws[\w-]*:[^\s\"',]++)"
    r"|(?P<email>(?<![\w.%+-])(?!git@[\w.-]+:)[\w.%+-]++@(?:[\w-]+\.)+[^\W\d_]{2,24})"
    rf"|(?P<phone>{PHONE})"
    r"|(?P<card>(?<![\w.+-])(?:\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}|3\d{3}[ -]\d{6}[ -]\d{5}|\d{13,19})"
    r"(?![\w-]|\.\d| ?(?:ns|us|ms|bytes)\b))"
)
