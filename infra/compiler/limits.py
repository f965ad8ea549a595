"""The numbers a machine is built from, and what a playbook may not ask of Step Functions and Lambda."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from incidentio.core.duration import format_duration
from incidentio.core.playbook import Playbook
from incidentio.core.steps import Leaf, Manual, Step, Wait
from infra.located_yaml import Location, dotted

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
LONGEST_APPROVAL = timedelta(days=7)
SHORTEST = timedelta(seconds=1)

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


def unfit(playbook: Playbook, *, pace: float = 1.0) -> Iterator[tuple[Location, str]]:
    """Why a run could not fit into one execution, each with its place in the YAML."""
    wrong = [found for leaf in playbook.leaves for found in _leaf_outside(leaf)]
    yield from wrong
    if (steps := len(playbook.leaves)) > MOST_LEAVES:
        yield (
            ("steps",),
            (
                f"{steps} steps once foreach is written out: at most {MOST_LEAVES}; "
                "lower targets.max.count, or make it two playbooks"
            ),
        )
    # A step that is too long takes too many events as well: one mistake is told once.
    if not wrong and (events := _events(playbook, pace=pace)) > MOST_EVENTS:
        yield (
            ("verify",) if playbook.verify else ("steps",),
            (
                f"a run could take {events} events of the {MOST_EVENTS} an execution may have: "
                "poll less often in verify, or make steps shorter or fewer"
            ),
        )
    yield from _outside(("approval", "timeout"), playbook.approval.timeout, LONGEST_APPROVAL)


def check(playbook: Playbook, *, pace: float) -> None:
    """Raise UnfitPlaybook where a run could not fit into one execution."""
    if pace <= 0:
        raise UnfitPlaybook(f"pace must be above 0, not {pace}")
    for at, message in unfit(playbook, pace=pace):
        raise UnfitPlaybook(f"{playbook.name}: {dotted(at)}: {message}")


def _leaf_outside(leaf: Leaf) -> Iterator[tuple[Location, str]]:
    at: Location = ("steps", *leaf.at)
    match leaf.step:
        case Step(timeout=timeout):
            yield from _outside((*at, "timeout"), timeout, LAMBDA_LONGEST)
        case Manual(timeout=timeout):
            yield from _outside((*at, "timeout"), timeout, LONGEST_MANUAL)
        case Wait(wait=wait):
            yield from _outside((*at, "wait"), wait, LONGEST_WAIT)


def _outside(at: Location, value: timedelta, longest: timedelta) -> Iterator[tuple[Location, str]]:
    if not SHORTEST <= value <= longest:
        yield at, f"{format_duration(value)}: use {format_duration(SHORTEST)} to {format_duration(longest)}"


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
