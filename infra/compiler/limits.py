"""The numbers a machine is built from, and what a playbook may not ask of Step Functions and Lambda."""

import math
from dataclasses import dataclass
from datetime import timedelta

from incidentio.core.playbook import Playbook

LAMBDA_LONGEST = timedelta(minutes=15)
GRACE_SECONDS = 10
"""A task waits this much longer than its function may run, so that what timed out is known to have ended."""

CONTROL_SECONDS = 70
STEP_POLL_SECONDS = 5
HIGHEST_STEP = 1000
MOST_POLLS = 1500
"""A standard execution ends at 25,000 history events; one poll costs at most 12."""


class UnfitPlaybook(ValueError):
    """The playbook is well formed and cannot be run by a state machine; the message says what would fit."""


@dataclass(frozen=True)
class Polls:
    """`count` polls, `seconds` apart."""

    seconds: int
    count: int


def action_timeout(playbook: Playbook) -> int:
    """Seconds the action function of `playbook` may run: its Lambda timeout. The longest step decides."""
    return math.ceil(max(step.timeout for step in playbook.steps).total_seconds())


def polls(within: timedelta, every: timedelta, *, pace: float) -> Polls:
    """`within` and `every` at `pace` (1.0 is real time); never faster than one a second."""
    seconds = max(1, round(every.total_seconds() * pace))
    return Polls(seconds=seconds, count=max(1, math.ceil(within.total_seconds() * pace / seconds)))


def paced(seconds: float, *, pace: float) -> int:
    return max(1, round(seconds * pace))


def check(playbook: Playbook, *, pace: float) -> None:
    """Raise UnfitPlaybook where a run could not fit into one execution."""
    if pace <= 0:
        raise UnfitPlaybook(f"pace must be above 0, not {pace}")
    for step in playbook.steps:
        if not timedelta(seconds=1) <= step.timeout <= LAMBDA_LONGEST:
            raise UnfitPlaybook(f"{playbook.name}: step {step.action} has timeout {step.timeout}: use 1s to 15m")
    if playbook.verify and polls(playbook.verify.within, playbook.verify.poll, pace=pace).count > MOST_POLLS:
        raise UnfitPlaybook(
            f"{playbook.name}: verify polls every {playbook.verify.poll} for {playbook.verify.within}, "
            f"more than {MOST_POLLS} times: poll less often"
        )
    if playbook.approval.timeout < timedelta(seconds=1) or playbook.approval.timeout > timedelta(days=7):
        raise UnfitPlaybook(f"{playbook.name}: approval timeout {playbook.approval.timeout}: use 1s to 7d")
