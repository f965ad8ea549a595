"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """`remedy` says what to do, and is empty when nothing is."""

    check: str
    verdict: Verdict
    what: str
    remedy: str = ""


def sound(findings: list[Finding]) -> bool:
    """Whether nothing failed; a warning is for a person to judge."""
    return all(finding.verdict != "fail" for finding in findings)
