"""How much harm a playbook may do, and who must therefore agree."""

from enum import StrEnum


class Risk(StrEnum):
    READ_ONLY = "read_only"
    SAFE = "safe"
    DISRUPTIVE = "disruptive"
    DESTRUCTIVE = "destructive"

    @property
    def approvals(self) -> int:
        """How many different people must approve a run."""
        return {"read_only": 0, "safe": 0, "disruptive": 1, "destructive": 2}[self.value]

    @property
    def may_start_itself(self) -> bool:
        return self in (Risk.READ_ONLY, Risk.SAFE)
