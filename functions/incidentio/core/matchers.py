"""Alertmanager-style matchers: `service="checkout"`, `severity=~"SEV[12]"`, `!=` and `!~`.

Grammar and anchoring follow https://prometheus.io/docs/alerting/latest/configuration/#matcher:
regular expressions match the whole value, and a missing label is the empty string.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import GetPydanticSchema
from pydantic_core import core_schema

_MATCHER = re.compile(r'\s*([A-Za-z_][\w.:-]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s][^"]*?))\s*')


@dataclass(frozen=True)
class Matcher:
    """One condition on one label."""

    label: str
    operator: str
    value: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        actual = labels.get(self.label, "")
        if self.operator in ("=~", "!~"):
            return (self._pattern.fullmatch(actual) is not None) == (self.operator == "=~")
        return (actual == self.value) == (self.operator == "=")

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.label}{self.operator}"{value}"'


def parse_matcher(text: Any) -> Matcher:
    """Read one matcher.

    Raises:
        ValueError: not a matcher, or its regular expression does not compile.
    """
    if isinstance(text, Matcher):
        return text
    found = _MATCHER.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f'{text!r} is not a matcher: write it like service="checkout" or severity=~"SEV[12]"')
    label, operator, quoted, bare = found.groups()
    value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
    if operator in ("=~", "!~"):
        value = quoted if quoted is not None else bare
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{text!r}: the regular expression is wrong at {error.pos}: {error.msg}") from None
    return Matcher(label, operator, value)


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """True when every matcher holds; so no matchers match everything."""
    return all(m.matches(labels) for m in matchers)


MatcherField = Annotated[
    Matcher,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.no_info_plain_validator_function(
            parse_matcher,
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )
    ),
]
"""A Matcher in a pydantic model, written as its text."""
