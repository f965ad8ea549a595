"""What several signals do to one incident, as one change: a summary entry for each thing that happened.

Signals of one delivery that join the same incident are one transaction however many they are, so a storm into one
group costs few of them and leaves a timeline that people can read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentio.core.authored import by
from incidentio.core.duration import format_duration
from incidentio.core.incident import Change, Incident, Status, recorded
from incidentio.core.inhibition import Inhibited
from incidentio.core.lifecycle import impact_returned
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Write
from incidentio.core.redaction import redact
from incidentio.core.routing import Routing
from incidentio.core.severity import Severity, worst
from incidentio.core.signal import Kind, Mode
from incidentio.core.storm import by_storm, child_write
from incidentio.ingest.case import Case
from incidentio.ingest.decide import Step
from incidentio.ingest.opening import actor_of, held, promoted, sentence, would_have
from incidentio.ingest.outcome import Ended, Unfit

_NAMED = 5
_LISTED = 50
_MANY = 100
AGAIN = "again"
Storm = Callable[[Sequence[Case]], str | None]
"""Counts these signals as one more live incident, and says which storm it belongs to."""


def no_storm(_: Sequence[Case]) -> None:
    """None goes on, and nothing is counted."""


@dataclass(frozen=True)
class Part:
    """What one signal does: `why` it fires here, and the `rule` that inhibits it."""

    case: Case
    step: Step
    why: str = AGAIN
    rule: Inhibited | None = None
    threshold: int = 1

    @property
    def fires(self) -> bool:
        return self.step in (Step.JOINED, Step.FIRE_AGAIN)


@dataclass(frozen=True)
class Together:
    """The change, None when only pointers move; and the writes that go with it."""

    change: Change | None
    writes: list[Write]


def together(
    incident: Incident, parts: Sequence[Part], *, routing: Routing, at: datetime, storm: Storm = no_storm
) -> Together:
    """All of `parts`, one for each dedup key; `storm` is asked where people would be told of `incident` anew.

    Raises:
        Ended: the incident is over.
        Unfit: it may not take some of them.
    """
    if not incident.is_open:
        raise Ended(incident.merged_into or "")
    unfit = [part.case for part in parts if not _fits(incident, part)]
    if unfit:
        raise Unfit(unfit)
    story = Story(incident, routing, at)
    story.fire([p for p in parts if p.fires and not p.rule])
    story.inhibit([p for p in parts if p.fires and p.rule])
    story.worsen([p for p in parts if p.step is Step.WORSENED])
    story.recover([p for p in parts if p.step is Step.RECOVER])
    story.note([p for p in parts if p.step is Step.NOTE])
    story.flap([p for p in parts if p.fires or p.step is Step.RECOVER])
    story.promote([p for p in parts if (p.fires and not p.rule) or p.step in (Step.WORSENED, Step.PROMOTE)])
    story.join_storm([p.case for p in parts], storm)
    story.show([p.case for p in parts])
    return Together(story.change, story.writes)


def _fits(incident: Incident, part: Part) -> bool:
    """Nobody is paged for a drill; and what nobody is told of may not silence what somebody must hear."""
    if part.step is Step.JOINED and incident.kind is not part.case.signal.kind:
        return False
    return not (part.rule and incident.mode is Mode.MONITOR and part.case.signal.mode is Mode.LIVE)


class Story:
    """The change as it grows, from nothing or from what `change` did already."""

    def __init__(self, incident: Incident, routing: Routing, at: datetime, change: Change | None = None) -> None:
        self.change = change
        self.writes: list[Write] = []
        self._incident = incident
        self._routing = routing
        self._at = at

    @property
    def ended(self) -> Change:
        """Raises: ValueError: nothing happened."""
        if self.change is None:
            raise ValueError("nothing happened")
        return self.change

    @property
    def _now(self) -> Incident:
        return self.change.incident if self.change else self._incident

    def fire(self, parts: Sequence[Part]) -> None:
        if not parts:
            return
        counts = self._counts(parts)
        text = _told(parts, f"fires {parts[0].why}", f"signals fire {_common(parts)}")
        if self._now.status is Status.MITIGATED:
            signal = parts[0].case.signal
            self.change = impact_returned(self._now, actor=actor_of(signal), at=self._at, text=text, **counts)
        else:
            self._add("SignalJoined" if self._is_news(parts) else "SignalsGathered", parts, text, **counts)
        for part in parts:
            self.writes += part.case.joining(self._now)

    def inhibit(self, parts: Sequence[Part]) -> None:
        if not parts:
            return
        rules = list(dict.fromkeys(part.rule for part in parts if part.rule))
        names = [str(rule) for rule in rules]
        because = "; ".join(dict.fromkeys(rule.rule.reason or str(rule.rule) for rule in rules))
        by = {"author": ", ".join(dict.fromkeys(rule.rule.author for rule in rules)), "comment": because}
        whose = f" ({by['author']}, {because})" if any(rule.rule.reason for rule in rules) else ""
        why = f"while {'; '.join(names)}: a member, and nobody is told of it{whose}"
        counts = self._counts(parts)
        text = _told(parts, f"fires {why}", f"signals fire {why}")
        stable = format_duration(self._routing.recovery.stable_for)
        ends = f"when {', '.join(rule.source for rule in rules)} has been ok for {stable}"
        self._add("SignalInhibited", parts, text, {"rules": names, **by, "ends": ends}, inhibits=True, **counts)
        for part in parts:
            self.writes += part.case.joining(self._now, rule=part.rule)

    def worsen(self, parts: Sequence[Part]) -> None:
        """They fire already, and say that it is worse than they said."""
        if not parts:
            return
        severity = worst(part.case.signal.severity or Severity.SEV5 for part in parts)
        text = _told(parts, f"is {severity.value} now", f"signals are up to {severity.value} now")
        type = "SignalWorsened" if self._is_news(parts) else "SignalsGathered"
        released_at = self._at if self._now.inhibits else self._now.released_at  # a rule may name another severity
        self._add(type, parts, text, {"severity": severity.value}, released_at=released_at)
        for part in parts:
            self.writes += part.case.worsening(self._now)

    def recover(self, parts: Sequence[Part]) -> None:
        if not parts:
            return
        before = self._now
        firing = max(0, before.firing - len(parts))
        resolves = self._routing.recovery.action(before.severity) == "resolve"
        watching = not firing and (resolves or before.status is not Status.MITIGATED)
        left = f", {firing} still firing" if firing else ""
        text = _told(parts, f"is ok{left}", f"signals are ok{left}")
        released_at = before.released_at
        only_held = all(part.case.is_inhibited and not part.case.inhibits_others for part in parts)
        if before.inhibits and firing and not (released_at and only_held):
            released_at = self._at + self._routing.recovery.stable_for
        ok_since = self._at if watching else None
        self._add("SignalRecovered", parts, text, firing=firing, ok_since=ok_since, released_at=released_at)
        for part in parts:
            self.writes += part.case.recovering(self._now)

    def note(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self._add("SignalNoted", [part], sentence(f"{part.case.signal.title}: no verdict", part.case.signal))
            self.writes.append(part.case.pointing(noted_at=part.case.noted_at))

    def flap(self, parts: Sequence[Part]) -> None:
        flapping, restless = self._routing.flapping, [part for part in parts if part.case.flaps]
        if flapping is None or not parts or not (restless or self._now.flapping_since):
            return
        if flapping.mode is Mode.MONITOR:
            for part in restless[:1]:
                part.case.would["flapping"] = f"would be held open: {flapping.why(part.case.signal.title)}"
            return
        until = self._at + flapping.quiet_for
        if self._now.flapping_since:
            self._set(flapping_until=until)
            return
        text = redact(flapping.why(restless[0].case.signal.title), limit=600)
        whose = by(flapping, flapping.ends)
        self._add("IncidentFlapping", restless, text, whose, flapping_since=self._at, flapping_until=until)

    def promote(self, parts: Sequence[Part]) -> None:
        """From watched to live, where a live signal comes, or waits, and the threshold of its group is reached."""
        live = [part for part in parts if part.case.signal.mode is Mode.LIVE]
        self.writes += [part.case.live for part in live if part.step is Step.PROMOTE]
        if not (live or (parts and self._now.held_for)) or self._now.mode is Mode.LIVE:
            return
        needed, signal = self._now.held_for or max(part.threshold for part in live), (live or parts)[0].case.signal
        if self._now.members < needed:
            updates: dict[str, Any] = {"held_for": needed, "mode_reason": held(self._now.members, needed)}
            if self.change is not None:
                self._set(**updates)
            elif self._now.mode_reason != updates["mode_reason"]:
                text = redact(f"{signal.title} would be live: {updates['mode_reason']}", limit=600)
                self._add("SignalNoted", live, text, **updates)
            return
        why = signal.mode_reason if live else "one of them is live"
        reason = f"{self._now.members} of {needed} signals: {why}" if needed > 1 else why
        self._append(promoted(self._now, signal, at=self._at, reason=reason))

    def join_storm(self, cases: Sequence[Case], storm: Storm) -> None:
        """Where it is live only now, or its impact is back: it is one more, and a storm that goes on tells of it."""
        before, now = self._incident, self._now
        quiet = before.mode is Mode.MONITOR or before.status in (Status.MITIGATED, Status.RESOLVED)
        calls = now.mode is Mode.LIVE and now.status in (Status.TRIGGERED, Status.ACKNOWLEDGED)
        if not (quiet and calls and now.kind is Kind.REAL):
            return
        parent = storm(cases)
        if parent is None or parent in (now.id, now.parent):
            return
        text = f"it belongs to the storm {parent}, which is told of instead"
        change = recorded(
            now,
            "StormJoined",
            actor=SYSTEM,
            at=self._at,
            text=text,
            data={"parent": parent, **by_storm(self._routing.storm)},
            parent=parent,
            repeat_seconds=0,
        )
        self._append(change)
        self.writes.append(child_write(parent, now.id))

    def show(self, cases: Sequence[Case]) -> None:
        """What rules in monitor mode would have made of them."""
        for case in cases:
            if case.would and (more := would_have(self._now, case.would, case.signal, at=self._at)):
                self._append(more)

    def _is_news(self, parts: Sequence[Part]) -> bool:
        """Whether triage is to look again. It reads every member, so of many it only hears of a worse one."""
        severities = [part.case.signal.severity for part in parts]
        return self._now.members < _MANY or any(s and s.is_worse_than(self._now.severity) for s in severities)

    def _counts(self, parts: Sequence[Part]) -> dict[str, Any]:
        incident = self._now
        members = incident.members + sum(not part.case.is_member(incident) for part in parts)
        firing = incident.firing + sum(not part.case.fires_in(incident) for part in parts)
        return {"members": members, "firing": min(members, firing), "ok_since": None}

    def _add(
        self, type: str, parts: Sequence[Part], text: str, data: dict[str, Any] | None = None, **updates: Any
    ) -> None:
        actor = actor_of(parts[0].case.signal)
        told = _data(parts) | (data or {})
        self._append(recorded(self._now, type, actor=actor, at=self._at, text=text, data=told, **updates))

    def _append(self, more: Change) -> None:
        if self.change is None:
            self.change = more
        else:
            self.change = Change(more.incident, self.change.entries + more.entries, self.change.expected_seq)

    def _set(self, **updates: Any) -> None:
        if self.change is not None:
            incident = self.change.incident.model_copy(update=updates)
            self.change = Change(incident, self.change.entries, self.change.expected_seq)


def _told(parts: Sequence[Part], one: str, several: str) -> str:
    """`title fires again: reason`, or `7 signals fire again: a, b, c and 4 more`."""
    signals = [part.case.signal for part in parts]
    if len(signals) == 1:
        return sentence(f"{signals[0].title} {one}", signals[0])
    more = f" and {len(signals) - _NAMED} more" if len(signals) > _NAMED else ""
    return redact(f"{len(signals)} {several}: {', '.join(s.title for s in signals[:_NAMED])}{more}", limit=600)


def _common(parts: Sequence[Part]) -> str:
    return "; ".join(dict.fromkeys(part.why for part in parts))


def _data(parts: Sequence[Part]) -> dict[str, Any]:
    signal = parts[0].case.signal
    told: dict[str, Any] = {
        "dedup_key": signal.dedup_key,
        "title": signal.title,
        "state": signal.state.value,
        "changed_at": parts[0].case.run.changed_at,
    }
    if len(parts) > 1:
        told |= {"count": len(parts), "dedup_keys": [p.case.run.dedup_key for p in parts[:_LISTED]]}
    return told
