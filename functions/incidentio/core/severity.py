"""Severity: SEV1 (critical) to SEV5 (no impact), and the words other systems use for it."""

from collections.abc import Iterable
from enum import StrEnum

from incidentio.core.errors import InvalidInput


class Severity(StrEnum):
    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"
    SEV5 = "SEV5"

    @property
    def rank(self) -> int:
        """1 for SEV1 … 5 for SEV5: lower is worse."""
        return int(self.value[3])

    def is_worse_than(self, other: "Severity") -> bool:
        return self.rank < other.rank


# PagerDuty event severities and AWS Incident Manager impact numbers.
_WORDS = {
    "critical": Severity.SEV1,
    "error": Severity.SEV2,
    "high": Severity.SEV2,
    "warning": Severity.SEV3,
    "medium": Severity.SEV3,
    "low": Severity.SEV4,
    "info": Severity.SEV5,
    "none": Severity.SEV5,
}


def parse_severity(text: str) -> Severity:
    """Read `SEV2`, `sev-2`, `2`, `P2` or a PagerDuty word.

    Raises:
        InvalidInput: the text is none of these.
    """
    word = text.strip().lower()
    if word in _WORDS:
        return _WORDS[word]
    digit = word.removeprefix("sev").removeprefix("p").removeprefix("-")
    if digit in {"1", "2", "3", "4", "5"}:
        return Severity(f"SEV{digit}")
    raise InvalidInput(
        f"unknown severity {text[:40]!r}: use SEV1 to SEV5, 1 to 5, or one of {', '.join(_WORDS)}",
        valid=[s.value for s in Severity] + list(_WORDS),
    )


def worst(severities: Iterable[Severity]) -> Severity:
    """Conflicting evidence: the higher severity wins."""
    return min(severities, key=lambda s: s.rank)


def severity_from_tier(tier: int) -> Severity:
    """Tier 1 services start at SEV1, tier 2 at SEV2, and so on down to SEV5."""
    return Severity(f"SEV{min(max(tier, 1), 5)}")
