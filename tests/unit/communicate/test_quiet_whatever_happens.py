"""Any interleaving of events, silences beginning and ending, and sweeps: once per channel and severity, never while
silenced, and in the end whoever nobody has taken care of is told."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from incidentio.communicate.sweep import sweep
from incidentio.core import quiet
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Unavailable
from incidentio.core.incident import Status
from incidentio.core.silence import Silence
from incidentio.core.timeline import first_broken_link
from tests.unit.communicate.conftest import ID, Desk, desk_with
from tests.unit.communicate.test_exactly_once import act, deliver

# A person's acknowledgement may be forgotten, and is then told on purpose: that has tests of its own.
BUNDLE = Bundle.of({"catalog": {"routing": {"ack_timeout": "0s"}}})
MATCHERS = (('service="checkout"',), ('service="checkout"', 'severity=~"SEV[2345]"'), ('service="other"',))
STEPS = st.tuples(
    st.sampled_from(
        ["triage", "worse", "better", "ack", "mitigate", "return", "resolve", "reopen", "deliver", "fail", "sweep",
         "wait", "silence", "expire", "crash"]
    ),
    st.integers(0, 40),
)  # fmt: skip


class Watched:
    """Notes for each publication whether a silence held the incident back at that moment."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.silenced: list[str] = []
        publish = desk.topics.publish

        def watched(channel: str, **message):
            answer = publish(channel, **message)
            if self.holds():
                self.silenced.append(desk.topics.sent[-1].page_id)
            return answer

        desk.topics.publish = watched  # type: ignore[method-assign]

    def holds(self) -> bool:
        return quiet.quiets_at(self.desk.table, (), self.desk.clock()).over(self.desk.incident) is not None


def crash(desk: Desk, seq: int) -> None:
    """A worker that claims and dies, and an event that is not delivered again."""
    desk.topics.failures.append(Unavailable("down"))
    with suppress(Unavailable):
        desk.hear(seq)
    desk.topics.failures.clear()


def change_silences(desk: Desk, step: str, number: int, made: list[str]) -> None:
    at = desk.clock.advance(seconds=1)
    if step == "expire" and made:
        quiet.end(desk.table, made[number % len(made)], by="bob", at=at)
    if step == "silence":
        made.append(f"SIL-{len(made):06d}")
        starts = at + timedelta(seconds=5 * (number % 3))
        silence = {
            "id": made[-1],
            "matchers": MATCHERS[number % len(MATCHERS)],
            "author": "alice",
            "comment": "load test",
            "starts_at": starts,
            "ends_at": starts + timedelta(seconds=30 + 20 * number),
            "created_at": at,
        }
        quiet.add(desk.table, Silence.model_validate(silence))


def take(desk: Desk, step: str, number: int, made: list[str]) -> None:
    match step:
        case "deliver" | "fail":
            deliver(desk, 1 + number % desk.incident.timeline_seq, failing=step == "fail")
        case "crash":
            crash(desk, 1 + number % desk.incident.timeline_seq)
        case "sweep":
            sweep(desk.teller)
        case "wait":
            desk.clock.advance(seconds=10 * number)
        case "silence" | "expire":
            change_silences(desk, step, number, made)
        case _:
            act(desk, step)


@settings(max_examples=200)
@given(st.lists(STEPS, max_size=40))
def test_told_once_never_while_silenced_and_in_the_end(steps):
    desk = desk_with(BUNDLE)
    watched, made = Watched(desk), []
    desk.open(service="checkout")
    for step, number in steps:
        take(desk, step, number, made)
    for seq in range(1, desk.incident.timeline_seq + 1):
        deliver(desk, seq)
    for number in range(len(made)):
        change_silences(desk, "expire", number, made)
    for _ in range(2):
        desk.clock.advance(minutes=2)
        sweep(desk.teller)

    sent = Counter(s.page_id for s in desk.topics.sent)
    assert not [page_id for page_id, times in sent.items() if times > 1]
    assert desk.types.count("PagePublished") == len(desk.topics)
    assert watched.silenced == []
    incident = desk.incident
    if incident.status is Status.TRIGGERED:
        assert not watched.holds()
        assert incident.told_episode == incident.episode
        assert incident.quiet_until is None
        calls = [
            s
            for s in desk.topics.sent
            if s.page_id.startswith(f"PG-7K3F9A-{incident.episode}-") and ".SEV" in s.page_id
        ]
        assert min(s.attributes["severity"] for s in calls) <= incident.severity
    assert first_broken_link(desk.table.timeline(ID), seq=incident.timeline_seq, head_hash=incident.head_hash) is None
