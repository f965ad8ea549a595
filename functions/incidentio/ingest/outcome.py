"""How an attempt ends."""

from dataclasses import dataclass

from incidentio.ingest.decide import Step


class Ended(Exception):
    """The incident ended between the pointer and now: decide again as if the pointer were closed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run, and which incident it concerns, if any."""

    step: Step
    incident_id: str | None = None
