"""What one signal means, given what is known about its dedup key. Pure: the rules, and nothing else.

The fence is the time of the last accepted state change of the key. Whatever is older is late and
changes nothing, so repeats, reorderings and a second door end in the same state. A queue keeps no order, so a
signal that fires may be overtaken by the next of its kind: it is late only if it is older than this firing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from incidentio.core.incident import Incident, Status
from incidentio.core.lifecycle import may_reopen
from incidentio.core.members import NOT_SAID
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, SignalState

NOTE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is stored under a dedup key. Without `incident_id` it is only a fence.

    `ended`: its incident was read, and is over. A pointer can be closed without that (see `core.members`).
    `inhibited`: a member only because another signal fires; its pointer stays closed, so that each signal looks
    again whether that is still so. `apart`: the incident it was split off, where it does not come back to.
    `changes`: its last state changes, in seconds since 1970. `severity`: the worst it said since it began to fire.
    `inhibitor`: the mark of what inhibits it (see `core.inhibition`). `began_after`: what was known
    before it began to fire in its incident; what is no newer belongs to an earlier firing. `began_at`: the oldest
    that is known of this firing.
    """

    incident_id: str | None
    open: bool
    state: SignalState
    mode: Mode
    fence: str
    noted_at: str | None = None
    ended: bool = False
    inhibited: bool = False
    apart: str = ""
    changes: tuple[int, ...] = ()
    severity: Severity | None = None
    inhibitor: str = ""
    began_after: str = ""
    began_at: str = ""

    @property
    def has_left(self) -> bool:
        """It belongs to nothing for the moment: it left the incident that it names."""
        return bool(self.apart) and self.apart == self.incident_id

    @property
    def is_silent(self) -> bool:
        """Nobody is told of it in the incident that it names."""
        return self.inhibited or self.has_left

    @classmethod
    def of(cls, body: Mapping[str, Any] | None) -> "Pointer | None":
        """None when nothing usable is stored."""
        if not body or "fence" not in body or "state" not in body:
            return None
        incident_id = body.get("incident_id")
        return cls(
            incident_id=incident_id,
            open=bool(body.get("open")) and incident_id is not None,
            state=SignalState(body["state"]),
            mode=Mode(body.get("mode", Mode.LIVE)),
            fence=body["fence"],
            noted_at=body.get("noted_at"),
            inhibited=bool(body.get("inhibited")),
            apart=body.get("apart") or "",
            changes=tuple(int(at) for at in body.get("changes", ())),
            severity=Severity(body["severity"]) if body.get("severity", NOT_SAID) != NOT_SAID else None,
            inhibitor=body.get("inhibitor") or "",
            began_after=body.get("began_after") or "",
            began_at=body.get("began_at") or body["fence"],
        )

    def is_firing_since(self, changed_at: str) -> bool:
        """It fires, and did so all the time from then on, as far as is known."""
        return self.state is SignalState.FIRING and (changed_at >= self.fence or changed_at > self.began_after)

    def is_topped_by(self, severity: Severity | None) -> bool:
        """Whether a signal that fires says worse than was known, or says it for the first time."""
        return severity is not None and (self.severity is None or severity.is_worse_than(self.severity))


class Step(StrEnum):
    """What to do."""

    DUPLICATE = "duplicate"  # known already: count it
    STALE = "stale"  # older than what we know: count it as such
    OPEN = "new"  # nothing is known that it could belong to: a new incident
    JOINED = "joined"  # a new member of an open incident: its group's, its inhibitor's, … (never decided, found)
    RETURNED = "returned"  # fires after its incident ended: look at that one (`after_end`)
    FIRE_AGAIN = "fires_again"  # a recovered member of an open incident
    WORSENED = "worsened"  # a member that fires says a worse severity than before
    PROMOTE = "promoted"  # watched until now, and somebody attached it on purpose
    RECOVER = "recovered"  # a member of an open incident is ok
    REMEMBER = "remembered"  # ok without an open incident: keep the fence
    NOTE = "noted"  # worth an entry
    PASS = "passed"  # noqa: S105 - a note with nothing to be noted on, or too soon after the last


def decide(
    pointer: Pointer | None,
    *,
    state: SignalState,
    changed_at: str,
    mode: Mode,
    noted_before: str,
    severity: Severity | None = None,
) -> Step:
    """The step for one signal. `noted_before`: a member noted at or before this may be noted again."""
    if state is SignalState.NOTE:
        return _note(pointer, changed_at, noted_before)
    if pointer is None:
        return Step.OPEN if state is SignalState.FIRING else Step.REMEMBER
    goes_on = state is SignalState.FIRING and pointer.is_firing_since(changed_at)
    worse = goes_on and pointer.is_topped_by(severity)
    if pointer.open and (worse or (state, pointer.mode, mode) == (SignalState.FIRING, Mode.MONITOR, Mode.LIVE)):
        return Step.WORSENED if worse else Step.PROMOTE
    if pointer.is_silent and state is SignalState.FIRING and (worse or changed_at >= pointer.fence):
        return Step.RETURNED
    if _known(pointer, state, changed_at):
        repeats = goes_on or (state is pointer.state and changed_at == pointer.fence)
        return Step.DUPLICATE if repeats else Step.STALE
    return _news_of_open(pointer, state) if pointer.open else _news_of_ended(pointer, state)


class AfterEnd(StrEnum):
    """Where a signal belongs that fires after its pointer was closed."""

    REJOIN = "rejoin"
    REOPEN = "reopen"
    FOLLOW = "follow"
    NEW = "new"


def after_end(incident: Incident, *, now: datetime, window: timedelta) -> AfterEnd:
    """Into the incident if it is open after all, or was resolved within `window`; else a new one follows it."""
    if incident.is_open:
        return AfterEnd.REJOIN
    if incident.status is Status.MERGED and incident.merged_into:
        return AfterEnd.FOLLOW
    return AfterEnd.REOPEN if may_reopen(incident, at=now, window=window) else AfterEnd.NEW


def _known(pointer: Pointer, state: SignalState, changed_at: str) -> bool:
    """Not newer than the fence. At the very same time another state is news only from a source that
    counts whole seconds: there the order of arrival is all there is."""
    if changed_at == pointer.fence and state is not pointer.state:
        return not changed_at.endswith(".000Z")
    return changed_at <= pointer.fence


def _news_of_open(pointer: Pointer, state: SignalState) -> Step:
    if state is pointer.state:
        return Step.DUPLICATE
    return Step.FIRE_AGAIN if state is SignalState.FIRING else Step.RECOVER


def _news_of_ended(pointer: Pointer, state: SignalState) -> Step:
    if state is not SignalState.FIRING:
        doubtful = pointer.state is SignalState.FIRING and pointer.incident_id and not pointer.ended
        doubtful = doubtful and not pointer.has_left
        return Step.RECOVER if doubtful else Step.REMEMBER
    return Step.RETURNED if pointer.incident_id else Step.OPEN


def _note(pointer: Pointer | None, changed_at: str, noted_before: str) -> Step:
    if pointer is None or not pointer.open:
        return Step.PASS
    if changed_at < pointer.fence:
        return Step.STALE
    return Step.PASS if pointer.noted_at and pointer.noted_at > noted_before else Step.NOTE
