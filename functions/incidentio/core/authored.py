"""Whose rule it is, and why, of those in `routing.yaml` that keep people from being told of something."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
NOBODY_SAID = "routing.yaml"
"""The author of what names none."""


class Authored(BaseModel):
    """Whoever wrote the rule, and why, is shown wherever it held somebody back. Its `str` is what it says."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    author: Said = NOBODY_SAID
    reason: Said | None = None

    @property
    def comment(self) -> str:
        return self.reason or str(self)

    @property
    def whose(self) -> str:
        """Behind a sentence, where somebody said why."""
        return f" ({self.author}, {self.reason})" if self.reason else ""


def by(rule: Authored | None, ends: str) -> dict[str, Any]:
    """The data of an entry that says that `rule` held somebody back, until when in words; None: it is there no more."""
    if rule is None:
        return {"author": NOBODY_SAID, "ends": ends}
    return {"rules": [str(rule)], "author": rule.author, "comment": rule.comment, "ends": ends}
