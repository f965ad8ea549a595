"""How an attempt ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from incidentio.ingest.decide import Step

if TYPE_CHECKING:
    from incidentio.ingest.case import Case


class Ended(Exception):
    """The incident ended between the pointer and now, and went into `merged_into` if that is not empty."""

    def __init__(self, merged_into: str = "") -> None:
        super().__init__(merged_into)
        self.merged_into = merged_into


class Unfit(Exception):
    """The incident may not take these signals."""

    def __init__(self, cases: "Sequence[Case]") -> None:
        super().__init__(len(cases))
        self.cases = cases


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run, and which incident it concerns, if any."""

    step: Step
    incident_id: str | None = None
