"""Any repetition, reordering and failure: each notice exactly once, and nothing that should be told is missing."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from incidentio.communicate.sweep import sweep
from incidentio.core import lifecycle
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Unavailable
from incidentio.core.incident import Incident, Status, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.severity import Severity
from incidentio.core.timeline import first_broken_link
from tests.make import ALICE
from tests.unit.communicate.conftest import ID, Desk, desk_with

LIVE = {"triaged_as": "live", "lifecycle": True}


def deliver(desk: Desk, seq: int, *, failing: bool = False) -> None:
    """As the queue does: again until it works."""
    if failing:
        desk.topics.failures.append(Unavailable("down"))
    for _ in range(3):
        try:
            desk.hear(seq)
        except Unavailable:
            continue
        else:
            desk.topics.failures.clear()
            return
    raise AssertionError(f"event {seq} was never handled")


def story(desk: Desk) -> None:
    """A whole incident, written before anything is delivered."""
    desk.open()
    at = desk.clock()
    desk.record("IncidentTriaged", **LIVE, triaged_at=at, severity=Severity.SEV3)
    desk.record("ApprovalRequested", data={"approval_id": "APR-7K3F9A-A"})
    desk.record("ApprovalRequested", data={"approval_id": "APR-7K3F9A-B"})
    desk.table.commit(lifecycle.change_severity(desk.incident, Severity.SEV2, actor=ALICE, at=at, why="worse"))
    desk.record("ForeignChangeFound")
    desk.record("PlaybookRolledBack")


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(1, 7), st.booleans()), max_size=20),
    st.permutations(range(1, 8)),
)
def test_written_once_delivered_anyhow_told_exactly_once(noise, order):
    desk = desk_with(Bundle())
    story(desk)
    for seq, failing in noise:
        deliver(desk, seq, failing=failing)
    for seq in order:
        deliver(desk, seq)
    told = Counter((s.channel, s.attributes["event"]) for s in desk.topics.sent)
    calls = [s for s in desk.topics.sent if ".SEV" in s.page_id]
    assert [(s.channel, s.page_id) for s in calls] == [("page", "PG-7K3F9A-1-page.SEV2-1")]
    assert told["page", "ApprovalRequested"] == 2
    assert told["page", "ForeignChangeFound"] == told["page", "PlaybookRolledBack"] == 1
    assert len(desk.topics) == 5
    assert len({s.page_id for s in desk.topics.sent}) == 5
    assert desk.types.count("PagePublished") == 5


ACTIONS = st.sampled_from(
    ["triage", "worse", "better", "ack", "mitigate", "return", "resolve", "reopen", "deliver", "fail", "sweep", "wait"]
)


def act(desk: Desk, action: str) -> None:
    incident, at = desk.incident, desk.clock.advance(seconds=1)
    change = None
    match action:
        case "triage" if not incident.triaged_at:
            change = recorded(incident, "IncidentTriaged", actor=SYSTEM, at=at, text="x", triaged_at=at, **LIVE)
        case "worse" | "better":
            to = Severity.SEV1 if action == "worse" else Severity.SEV4
            change = lifecycle.change_severity(incident, to, actor=ALICE, at=at, why="x")
        case "ack" if incident.status is Status.TRIGGERED:
            change = lifecycle.acknowledge(incident, actor=ALICE, at=at)
        case "mitigate" if incident.status in (Status.TRIGGERED, Status.ACKNOWLEDGED):
            change = lifecycle.mitigate(incident, actor=ALICE, at=at)
        case "return" if incident.status is Status.MITIGATED:
            change = lifecycle.impact_returned(incident, actor=ALICE, at=at, text="back")
        case "resolve" if incident.is_open:
            change = lifecycle.resolve(incident, actor=ALICE, at=at)
        case "reopen" if incident.status is Status.RESOLVED:
            window = desk.table.routing.reopen_window
            if lifecycle.may_reopen(incident, at=at, window=window):
                change = lifecycle.reopen(incident, actor=ALICE, at=at, window=window)
    if change:
        desk.table.commit(change)


def told_or_said(desk: Desk, incident: Incident) -> bool:
    return incident.told_episode == incident.episode


@settings(max_examples=150)
@given(st.lists(st.tuples(ACTIONS, st.integers(0, 40)), max_size=40))
def test_whatever_happens_no_page_id_is_sent_twice_and_nobody_waits_unheard(steps):
    desk = desk_with(Bundle())
    desk.open()
    for action, number in steps:
        if action in ("deliver", "fail"):
            deliver(desk, 1 + number % desk.incident.timeline_seq, failing=action == "fail")
        elif action == "sweep":
            sweep(desk.teller)
        elif action == "wait":
            desk.clock.advance(seconds=10 * number)
        else:
            act(desk, action)
    desk.clock.advance(minutes=2)
    sweep(desk.teller)
    desk.clock.advance(minutes=2)
    sweep(desk.teller)
    sent = Counter(s.page_id for s in desk.topics.sent)
    assert not [page_id for page_id, times in sent.items() if times > 1]
    assert desk.types.count("PagePublished") == len(desk.topics)
    incident = desk.incident
    if incident.status is Status.TRIGGERED:
        assert told_or_said(desk, incident)
    entries = desk.table.timeline(ID)
    assert first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash) is None
