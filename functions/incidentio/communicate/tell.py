"""The use case: whatever brought us here, tell what is to be told, each thing once.

Claim (a conditional put), publish, record (one transaction with its timeline entry). A crash between
publish and record leaves a claim; once it is old enough the next to come publishes again under the
same `page_id`, and that is the only repetition there is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from incidentio.aws.observability import log
from incidentio.communicate.arrival import arrived, measure_travel
from incidentio.communicate.background import background_of
from incidentio.communicate.entries import published, skipped
from incidentio.communicate.message import Context, message
from incidentio.communicate.notices import NEEDS_A_PERSON
from incidentio.communicate.pages import Page, page_from, pages_of, untold
from incidentio.communicate.plan import Event, Nobody, Nothing, Plan
from incidentio.communicate.planning import plan
from incidentio.communicate.ports import Topics
from incidentio.communicate.through import through_parent
from incidentio.core.amend import amend
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Unavailable
from incidentio.core.events import DomainEvent
from incidentio.core.heartbeat import is_beat
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident
from incidentio.core.inhibited import inhibition_of
from incidentio.core.members import member_key
from incidentio.core.ports import ABSENT, Clock, Key, Put, Records, Refused, Table, Write
from incidentio.core.quiet import Quiets, held_write, quiets_at

_TRIES = 6
_WAIT_SECONDS = 0.25
_RECORDING_TRIES = 40
"""Ten seconds of others who change the incident, as in a storm: what is not recorded is published again."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_APPROVALS = frozenset({"ApprovalRequested", "ApprovalEscalated"})
_DECIDED = frozenset({"approved", "rejected", "expired"})


class Busy(Exception):
    """Another worker has claimed it and may still be at it."""


@dataclass(frozen=True)
class Outcome:
    """What was done about one event or incident, for logs and metrics."""

    verb: Literal["published", "nobody", "nothing"]
    detail: str

    def __str__(self) -> str:
        return f"{self.verb}: {self.detail}"


@dataclass(frozen=True)
class Teller:
    """`pause` waits that many seconds: the first worker is usually done within a second."""

    table: Table
    topics: Topics
    bundle: Bundle
    api_url: str
    clock: Clock
    pause: Callable[[float], None]

    def told(self, event: DomainEvent) -> Outcome:
        """Do what `event` asks for, as things stand now.

        Raises:
            NotFound: no such incident.
            Unavailable: not done or not known to be done; deliver the event again.
        """
        data = {**event.data, **(self._approval(event) if event.type in _APPROVALS else {})}
        seq = int(event.id.rpartition("-")[2])
        return self.settle(event.incident_id, Event(event.type, event.incident_version, seq, data))

    def settle(self, incident_id: str, event: Event | None = None) -> Outcome:
        """Bring `incident_id` to where nothing is left to tell; `event` is None when nothing new happened."""
        for _ in range(_TRIES):
            incident = self.table.incident(incident_id)
            try:
                return self._carried_out(incident, event, self._decision(incident, event))
            except Busy:
                self.pause(_WAIT_SECONDS)
        raise Unavailable(f"another worker is telling of {incident_id}: try again")

    def deliver(self, incident: Incident, page: Page, data: Mapping[str, Any] | None = None) -> bool:
        """Claim, publish and record one page; False when that was done before.

        Raises:
            Busy: another worker holds the claim.
        """
        claim = self._claimed(page)
        if claim is None:
            return False
        try:
            self._publish(incident, claim, data or {})
        except Exception:
            self._let_go(claim)
            raise
        return True

    def quiets(self) -> Quiets:
        """What keeps people from being told now."""
        quiets = quiets_at(self.table, self.bundle.catalog.routing.maintenance, self.clock())
        for broken in quiets.broken:
            log("holds nothing back: it cannot be evaluated", level="ERROR", quiet=broken.id, detail=broken.why)
        return quiets

    def quiets_of(self, incident: Incident, quiets: Quiets) -> Quiets:
        """And what inhibits this one."""
        inhibition = inhibition_of(incident, self.table, self.bundle.catalog, quiets.at)
        return replace(quiets, inhibition=inhibition) if inhibition else quiets

    def _decision(self, incident: Incident, event: Event | None) -> Plan:
        pages, quiets = pages_of(incident.id, self.table), self.quiets_of(incident, self.quiets())
        if event is None or event.type not in NEEDS_A_PERSON:
            open_calls = [p for p in pages if p.call and p.n == 1 and not p.published_at]
            if quiets.over(incident):
                # Whoever claimed it may have died before anybody heard: it is called when the quiet is over.
                pages = [p for p in pages if p not in open_calls]
            else:
                for open_call in open_calls:
                    self.deliver(incident, open_call)
        routing = self.bundle.catalog.routing
        decision = plan(incident, event, pages, routing, quiets)
        if incident.parent is None:
            return decision
        return through_parent(incident, decision, self.table, routing.storm, self.clock())

    def _carried_out(self, incident: Incident, event: Event | None, decision: Plan) -> Outcome:
        if isinstance(decision, Nothing):
            return Outcome("nothing", decision.reason)
        if isinstance(decision, Nobody):
            self.record_nobody(incident, decision)
            return Outcome("nobody", decision.reason)
        done = [p.page_id for p in decision.pages if self.deliver(incident, p, event.data if event else {})]
        return Outcome("published", ", ".join(done)) if done else Outcome("nothing", "it was told already")

    def _claimed(self, page: Page) -> Page | None:
        now = self.clock()
        claim = page.claimed(now)
        try:
            self.table.write(Put(claim.record(), when=ABSENT))
        except Refused as refused:
            held = page_from(refused.current) if refused.current else None
            if held and held.published_at:
                return None
            if held is None or held.claimed_at is None or not held.is_abandoned(now):
                raise Busy from None
            claim = held.claimed(now)
            self._rewrite(held, claim)
        return claim

    def _rewrite(self, held: Page, claim: Page) -> None:
        try:
            self.table.write(Put(claim.record(), when=_still(held)))
        except Refused:
            raise Busy from None

    def _publish(self, incident: Incident, claim: Page, data: Mapping[str, Any]) -> None:
        context = Context(
            incident=incident,
            page=claim,
            bundle=self.bundle,
            api_url=self.api_url,
            background=background_of(incident, self.table),
            text=str(data.get("text") or ""),
            data=data,
        )
        told = message(context)
        would = self.quiets().would_be_over(incident) if claim.call else None
        message_id = self.topics.publish(
            claim.channel, subject=told.subject, body=told.body, attributes=told.attributes
        )
        page = replace(claim.published(self.clock()), seen=incident.timeline_seq)
        proof = Put(page.record(message_id=message_id, subject=told.subject), when=_still(claim))
        routing = self.bundle.catalog.routing

        def recording(current: Incident) -> tuple[Change, tuple[Write, ...]]:
            change = published(current, page, subject=told.subject, message_id=message_id, routing=routing, would=would)
            if not is_beat(current):
                return change, (proof,)
            change, more = arrived(change, page, at=self.clock(), routing=routing)
            return change, (proof, *more)

        try:
            after = amend(self.table, incident.id, recording, attempts=_RECORDING_TRIES, pause=self.pause)
        except Refused:
            return  # whoever took the claim over records it, under the same page_id
        if is_beat(after):
            measure_travel(after, self.clock())

    def _let_go(self, claim: Page) -> None:
        """The claim stays, marked as abandoned, so that the next try need not wait for it to grow old."""
        try:
            self.table.write(Put(replace(claim, claimed_at=_LONG_AGO).record(), when=_still(claim)))
        except (Refused, Unavailable):
            return

    def record_nobody(self, incident: Incident, nobody: Nobody) -> None:
        """Say why nobody was told, once; a call that waits is remembered where the end of its quiet looks."""
        now, routing = self.clock(), self.bundle.catalog.routing

        def recording(current: Incident) -> tuple[Change, tuple[Write, ...]]:
            record = untold(current.id, incident.version, nobody.code, nobody.reason, now)
            waits_anew = nobody.until is not None and nobody.until != current.quiet_until
            waiting = [held_write(current.id, nobody.quiet)] if nobody.quiet and nobody.until else []
            said = Put(record, when=None if waits_anew else ABSENT)
            return skipped(current, nobody, routing=routing, at=now), (said, *waiting)

        try:
            amend(self.table, incident.id, recording)
        except Refused:
            return

    def _approval(self, event: DomainEvent) -> dict[str, str]:
        """What became of the question meanwhile: decided, or taken by breaking the glass, which everybody hears of."""
        key = Key(f"INC#{event.incident_id}", f"APPROVAL#{event.data.get('approval_id')}")
        record = self.table.get(key) or {}
        if record.get("break_glass"):
            return {"break_glass": str(record["break_glass"])}
        return {"decided": str(record["status"])} if record.get("status") in _DECIDED else {}


def _still(page: Page) -> dict[str, Any]:
    return {"status": "claimed", "claimed_at": iso(page.claimed_at) if page.claimed_at else None}


def signal_reason(incident: Incident, table: Records) -> str:
    """What the signal that opened the incident said."""
    if incident.dedup_key is None:
        return ""
    member = table.get(member_key(incident.id, incident.dedup_key))
    return str(member["reason"]) if member else ""
