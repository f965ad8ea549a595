"""The numbers a machine is built from, and what a playbook may not ask of Step Functions and Lambda."""

import math
from dataclasses import dataclass
from datetime import timedelta

from incidentio.core.playbook import Playbook
from incidentio.core.steps import Leaf, Manual, Step, Wait

LAMBDA_LONGEST = timedelta(minutes=15)
GRACE_SECONDS = 10
"""A task waits this much longer than its function may run, so that what timed out is known to have ended."""

CONTROL_SECONDS = 70
STEP_POLL_SECONDS = 5
HIGHEST_STEP = 1000
MOST_EVENTS = 24_000
"""A standard execution dies, uncaught, at 25,000 events of its history; the rest is for undoing."""

MOST_LEAVES = 30
"""A definition may have 1 MB, and many of them share a template: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

IDLE_SECONDS = 30
LONGEST_WAIT = timedelta(hours=1)
LONGEST_MANUAL = timedelta(days=1)

EVENTS_OF_A_WATCH, EVENTS_OF_A_CONFIRMATION, EVENTS_OF_A_STEP = 12, 17, 60
"""Each with one task of it tried twice."""


class UnfitPlaybook(ValueError):
    """The playbook is well formed and cannot be run by a state machine; the message says what would fit."""


class UnsoundMachine(AssertionError):
    """The compiler made a machine that does not keep the envelope: its mistake, not the playbook's."""


@dataclass(frozen=True)
class Polls:
    """`count` polls, `seconds` apart."""

    seconds: int
    count: int


def action_timeout(playbook: Playbook) -> int:
    """Seconds the action function of `playbook` may run: its Lambda timeout. The longest step decides."""
    longest = max((step.timeout for step in playbook.steps), default=timedelta(seconds=30))
    return math.ceil(longest.total_seconds())


def polls(within: timedelta, every: timedelta, *, pace: float) -> Polls:
    """`within` and `every` at `pace` (1.0 is real time); never faster than one a second."""
    seconds = max(1, round(every.total_seconds() * pace))
    return Polls(seconds=seconds, count=max(1, math.ceil(within.total_seconds() * pace / seconds)))


def paced(seconds: float, *, pace: float) -> int:
    return max(1, round(seconds * pace))


def confirmations(step: Step, *, pace: float) -> Polls:
    """How often a step that is not in effect at once is looked at."""
    return polls(step.timeout, timedelta(seconds=STEP_POLL_SECONDS), pace=pace)


def idling(step: Wait, *, pace: float) -> Polls:
    """How often flags are read during a wait."""
    return polls(step.wait, min(step.wait, timedelta(seconds=IDLE_SECONDS)), pace=pace)


def check(playbook: Playbook, *, pace: float) -> None:
    """Raise UnfitPlaybook where a run could not fit into one execution."""
    if pace <= 0:
        raise UnfitPlaybook(f"pace must be above 0, not {pace}")
    for leaf in playbook.leaves:
        if wrong := _too_long(leaf):
            raise UnfitPlaybook(f"{playbook.name}: step {leaf.n} {wrong}")
    if (steps := len(playbook.leaves)) > MOST_LEAVES:
        raise UnfitPlaybook(
            f"{playbook.name}: it has {steps} steps once foreach is written out: at most {MOST_LEAVES}; "
            "lower targets.max.count, or make it two playbooks"
        )
    if (events := _events(playbook, pace=pace)) > MOST_EVENTS:
        raise UnfitPlaybook(
            f"{playbook.name}: a run could take {events} events of the {MOST_EVENTS} an execution may have: "
            "poll less often in verify, or make steps shorter or fewer"
        )
    if playbook.approval.timeout < timedelta(seconds=1) or playbook.approval.timeout > timedelta(days=7):
        raise UnfitPlaybook(f"{playbook.name}: approval timeout {playbook.approval.timeout}: use 1s to 7d")


def _too_long(leaf: Leaf) -> str | None:
    match leaf.step:
        case Step(timeout=timeout) if not timedelta(seconds=1) <= timeout <= LAMBDA_LONGEST:
            return f"{leaf.step.action} has timeout {timeout}: use 1s to 15m"
        case Manual(timeout=timeout) if not timedelta(seconds=1) <= timeout <= LONGEST_MANUAL:
            return f"has timeout {timeout}: use 1s to 1d"
        case Wait(wait=wait) if not timedelta(seconds=1) <= wait <= LONGEST_WAIT:
            return f"waits {wait}: use 1s to 1h"
    return None


def _events(playbook: Playbook, *, pace: float) -> int:
    """Events of the longest run, without its undo."""
    verify = playbook.verify
    steps = sum(_events_of(leaf, pace=pace) for leaf in playbook.leaves)
    return steps + (EVENTS_OF_A_WATCH * polls(verify.within, verify.poll, pace=pace).count if verify else 0)


def _events_of(leaf: Leaf, *, pace: float) -> int:
    match leaf.step:
        case Step():
            return EVENTS_OF_A_STEP + EVENTS_OF_A_CONFIRMATION * confirmations(leaf.step, pace=pace).count
        case Wait():
            return EVENTS_OF_A_STEP + EVENTS_OF_A_WATCH * idling(leaf.step, pace=pace).count
    return EVENTS_OF_A_STEP
