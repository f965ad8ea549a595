"""`redaction` of `routing.yaml`: what a team wants taken out of every text beside what always is.

`infra/redaction_checks.py` refuses, when it is synthesised, what could take long or would take too much.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _compiles(regex: str) -> str:
    try:
        re.compile(regex)
    except re.error as error:
        raise ValueError(f"the regular expression is wrong at {error.pos}: {error.msg}") from None
    return regex


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class RedactionPattern(_Strict):
    """What `regex` finds becomes `[redacted:<name>]`."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
    regex: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_compiles)]


class Redaction(_Strict):
    patterns: tuple[RedactionPattern, ...] = Field(default=(), max_length=20)
