"""News and requests: each timeline entry at most once, and to whom."""

import pytest

from incidentio.communicate.notices import NEEDS_A_PERSON, UPDATES
from incidentio.core import lifecycle
from incidentio.core.ports import Key, Put, Record
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from tests.make import ALICE
from tests.unit.communicate.conftest import ID


@pytest.mark.parametrize("type", sorted(UPDATES))
def test_news_goes_where_the_incident_was_told_and_nowhere_else(desk, type):
    desk.open()
    desk.happened(type)
    assert len(desk.topics) == 0
    desk.triaged(Severity.SEV3)
    desk.happened(type)
    assert [s.channel for s in desk.topics.sent] == ["ticket", "ticket"]


def test_who_had_the_ticket_and_who_had_the_page_both_hear_the_end(desk):
    desk.open()
    desk.triaged(Severity.SEV3)
    desk.triaged(Severity.SEV2)
    desk.change(lambda i: lifecycle.resolve(i, actor=ALICE, at=desk.clock()))
    assert [(s.channel, s.attributes["event"]) for s in desk.topics.sent[2:]] == [
        ("page", "IncidentResolved"),
        ("ticket", "IncidentResolved"),
    ]


@pytest.mark.parametrize("type", sorted(NEEDS_A_PERSON))
def test_what_needs_a_person_goes_to_the_page_topic_whatever_the_severity(desk, type):
    desk.open(environment="staging")
    desk.triaged(Severity.SEV4)
    desk.happened(type)
    desk.hear(len(desk.table.entries[ID]) - 1)
    assert [s.attributes["event"] for s in desk.topics.on("page")] == [type]


@pytest.mark.parametrize("type", sorted(NEEDS_A_PERSON))
def test_in_monitor_mode_it_is_only_noted(desk, type):
    desk.open(mode=Mode.MONITOR)
    desk.happened(type)
    assert len(desk.topics) == 0
    assert desk.types[-1] == "NotificationSkipped"


def test_two_requests_at_one_version_are_two_notices(desk):
    desk.open()
    desk.triaged()
    desk.happened("ApprovalRequested", data={"approval_id": "APR-7K3F9A-A"})
    desk.happened("ApprovalRequested", data={"approval_id": "APR-7K3F9A-B"})
    pages = desk.topics.on("page")
    assert len({s.page_id for s in pages}) == 3
    assert "incidentio approvals approve APR-7K3F9A-B" in pages[-1].body


@pytest.mark.parametrize("status", ["approved", "rejected", "expired"])
def test_an_approval_decided_meanwhile_wakes_nobody(desk, status):
    desk.open()
    desk.record("ApprovalRequested", data={"approval_id": "APR-7K3F9A-A"})
    desk.table.write(Put(Record(Key(f"INC#{ID}", "APPROVAL#APR-7K3F9A-A"), {"status": status})))
    desk.hear(2)
    assert len(desk.topics) == 0
    assert status in desk.table.entries[ID][-1].text


def test_breaking_the_glass_is_told_although_nothing_is_left_to_decide(desk):
    desk.open()
    desk.record("ApprovalRequested", data={"approval_id": "APR-7K3F9A-A", "requester": "alice", "playbook": "p"})
    body = {"status": "approved", "break_glass": "all else failed"}
    desk.table.write(Put(Record(Key(f"INC#{ID}", "APPROVAL#APR-7K3F9A-A"), body)))
    desk.hear(2)
    (sent,) = desk.topics.on("page")
    assert "alice started p without approval (all else failed)" in sent.body
    assert "approvals approve" not in sent.body
    assert len(desk.topics.on("ticket")) == 1, "everybody is told, wherever they listen"


def test_events_that_are_nobodys_news_change_nothing(desk):
    desk.open()
    desk.happened("NoteAdded")
    assert desk.types == ["IncidentTriggered", "NoteAdded"]
