"""Crashes, failures and two workers at once: nothing is lost, and a repeat has the same page id."""

import pytest

from incidentio.communicate.pages import Channel, Page, pages_of
from incidentio.core.amend import amend
from incidentio.core.errors import Forbidden, Unavailable
from incidentio.core.incident import recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import ABSENT, Put
from tests.unit.communicate.conftest import ID

CALL = Page(ID, Channel.PAGE, "SEV2", 1, event="IncidentTriaged", call=True)


@pytest.fixture
def triaged(desk):
    desk.open()
    desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    return desk


def claimed_elsewhere(desk):
    desk.table.write(Put(CALL.claimed(desk.clock()).record(), when=ABSENT))


def test_a_fresh_claim_of_another_worker_is_left_to_it(triaged):
    claimed_elsewhere(triaged)
    with pytest.raises(Unavailable):
        triaged.hear(2)
    assert len(triaged.topics) == 0


def test_a_claim_never_recorded_is_published_with_the_same_page_id(triaged):
    claimed_elsewhere(triaged)
    triaged.clock.advance(seconds=31)
    triaged.hear(2)
    assert [s.page_id for s in triaged.topics.sent] == [CALL.page_id]
    assert triaged.types[-1] == "PagePublished"


def test_a_failed_publish_is_repeated_at_once_with_the_same_page_id(triaged, sns_is_down):
    triaged.topics.failures.append(sns_is_down)
    with pytest.raises(Unavailable):
        triaged.hear(2)
    assert triaged.types == ["IncidentTriggered", "IncidentTriaged"]
    triaged.hear(2)
    assert [s.page_id for s in triaged.topics.sent] == [CALL.page_id]


def test_a_missing_permission_is_an_error_and_the_claim_stays(triaged):
    triaged.topics.failures.append(Forbidden("publishing to the page topic: AuthorizationError"))
    with pytest.raises(Forbidden):
        triaged.hear(2)
    (page,) = pages_of(ID, triaged.table)
    assert page.published_at is None


def test_two_workers_with_the_same_event_publish_once(triaged):
    seen = []

    def second_worker():
        with pytest.raises(Unavailable):
            triaged.hear(2)
        seen.append(len(triaged.topics))

    triaged.topics.on_publish.append(second_worker)
    triaged.hear(2)
    assert seen == [0]
    assert len(triaged.topics) == 1
    assert triaged.types.count("PagePublished") == 1


def test_a_note_between_claim_and_record_does_not_repeat_the_page(triaged):
    def note():
        amend(triaged.table, ID, lambda i: recorded(i, "NoteAdded", actor=SYSTEM, at=triaged.clock(), text="hm"))

    triaged.topics.on_publish.append(note)
    triaged.hear(2)
    assert triaged.types[-2:] == ["NoteAdded", "PagePublished"]
    assert len(triaged.topics) == 1


def test_an_update_waits_for_the_call_that_is_under_way(triaged):
    claimed_elsewhere(triaged)
    triaged.record("IncidentMitigated", lifecycle=True)
    with pytest.raises(Unavailable):
        triaged.hear(3)
    triaged.clock.advance(seconds=31)
    triaged.hear(3)
    assert [s.attributes["event"] for s in triaged.topics.sent] == ["IncidentTriaged", "IncidentMitigated"]


def test_a_request_for_approval_waits_for_nobody(triaged):
    claimed_elsewhere(triaged)
    triaged.happened("ApprovalRequested", data={"approval_id": "APR-7K3F9A-A"})
    assert [s.attributes["event"] for s in triaged.topics.sent] == ["ApprovalRequested"]


def test_a_page_is_recorded_and_not_sent_again_however_many_change_the_incident(triaged, monkeypatch):
    """As in a storm, where all of ingest's workers append to one incident."""
    commit, others = triaged.table.commit, iter(range(30))

    def beaten(change, *writes):
        if change.entries[-1].type == "PagePublished" and next(others, None) is not None:
            commit(recorded(triaged.incident, "SignalJoined", actor=SYSTEM, at=triaged.clock(), text="one more"))
        commit(change, *writes)

    monkeypatch.setattr(triaged.table, "commit", beaten)
    triaged.hear(2)
    assert triaged.types[-1] == "PagePublished"
    assert len(triaged.topics) == 1
