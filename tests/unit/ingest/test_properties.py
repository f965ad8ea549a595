"""Whatever the order, the repetition, the doors and the batching: the same trouble ends in the same state."""

import json
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from incidentio.core.ids import iso
from incidentio.core.incident import Status
from incidentio.core.members import pointer_key
from incidentio.core.signal import Mode
from incidentio.core.timeline import first_broken_link
from tests.unit.ingest.doors import Desk, action, event, notification, signal

STATES = st.lists(st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"]), min_size=1, max_size=7)


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[str], list[list[tuple[int, bool]]]]:
    """The true sequence of states, and batches of (position, through the topic?) that deliver all of it."""
    states = draw(STATES)
    once = [(n, door) for n in range(len(states)) for door in (False, True)]
    again = draw(st.lists(st.sampled_from(once), max_size=8))
    order = draw(st.permutations(once + again))
    batches, rest = [], list(order)
    while rest:
        size = draw(st.integers(1, 5))
        batches.append(rest[:size])
        rest = rest[size:]
    return states, batches


@settings(max_examples=150)
@given(deliveries())
def test_any_delivery_of_a_sequence_ends_in_its_last_state(
    case: tuple[list[str], list[list[tuple[int, bool]]]],
) -> None:
    states, batches = case
    desk = Desk()
    for batch in batches:
        report = desk.deliver((action if topic else event)(states[n], desk.at(n + 0.25)) for n, topic in batch)
        assert report.failed == []
    verdicts = [s for s in states if s != "INSUFFICIENT_DATA"]
    assert len(desk.table) <= 1
    assert not desk.dead_letters
    if not desk.table.incidents:
        assert not verdicts or verdicts[-1] == "OK"
        return
    incident, pointer = desk.incident, desk.pointer()
    last = max(n for n, s in enumerate(states) if s != "INSUFFICIENT_DATA")
    assert pointer["fence"] == f"2026-03-01T12:00:{last:02d}.250Z"
    assert incident.status is Status.TRIGGERED
    assert incident.mode is Mode.LIVE
    assert incident.members == 1
    assert (incident.firing, pointer["state"]) == ((1, "firing") if verdicts[-1] == "ALARM" else (0, "ok"))
    assert (incident.ok_since is None) == (verdicts[-1] == "ALARM")
    entries = desk.table.entries[incident.id]
    assert first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash) is None


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.booleans()), min_size=1, max_size=25))
def test_every_alarm_is_its_own_incident_and_every_message_is_counted(sent: list[tuple[str, int, bool]]) -> None:
    desk = Desk()
    for start in range(0, len(sent), 10):
        desk.deliver(
            (action if topic else event)("ALARM", desk.at(n + 0.25), alarm=alarm)
            for alarm, n, topic in sent[start : start + 10]
        )
    alarms = {alarm for alarm, _, _ in sent}
    assert sorted(i.title for i in desk.incidents) == sorted(alarms)
    for alarm in alarms:
        pointer = desk.pointer(alarm)
        assert pointer["count"] + pointer["stale"] == sum(a == alarm for a, _, _ in sent)


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(["SEV1", "SEV2", "SEV3"]), min_size=1, max_size=5),
    st.integers(0, 4),
    st.lists(st.integers(1, 3), min_size=12, max_size=12),
    st.randoms(use_true_random=False),
)
def test_in_any_order_a_firing_is_as_bad_as_the_worst_of_it_and_is_acknowledged(
    severities: list[str], after: int, sizes: list[int], chance: random.Random
) -> None:
    desk = Desk()
    sent = [notification(signal("firing", desk.at(n), severity=said)) for n, said in enumerate(severities)]
    at = desk.at(min(after, len(sent) - 1) + 0.5).isoformat()
    sent += [json.dumps({"incidentio": "ack/v1", "integration": "pd", "dedup_key": "canary/checkout", "at": at})]
    waiting = [*sent, *chance.choices(sent, k=2)]
    chance.shuffle(waiting)
    for size in sizes:
        batch, waiting = waiting[:size], waiting[size:]
        waiting += [batch[int(message_id[1:])] for message_id in desk(*batch).failed]
    pointer = desk.table.records[pointer_key("canary/checkout")]
    assert (pointer["severity"], pointer["fence"], waiting) == (min(severities), iso(desk.at(len(severities) - 1)), [])
    assert desk.incident.status is Status.ACKNOWLEDGED
