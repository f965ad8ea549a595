"""Who is called, on which channel, and how often."""

from datetime import timedelta

import pytest

from incidentio.communicate.sweep import sweep
from incidentio.core import lifecycle
from incidentio.core.bundle import Bundle
from incidentio.core.person import SYSTEM
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode
from tests.make import ALICE
from tests.unit.communicate.conftest import desk_with

WINDOW = timedelta(minutes=15)


def test_a_triaged_production_sev2_pages_once(desk):
    desk.open()
    desk.triaged()
    (sent,) = desk.topics.sent
    assert (sent.channel, sent.page_id) == ("page", "PG-7K3F9A-1-page.SEV2-1")
    assert desk.types == ["IncidentTriggered", "IncidentTriaged", "PagePublished"]
    assert desk.incident.first_paged_at == desk.incident.last_paged_at == desk.clock()
    assert (desk.incident.pages, desk.incident.repeat_seconds, desk.incident.told_episode) == (1, 300, 1)


def test_the_same_event_again_tells_nobody_again(desk):
    desk.open()
    desk.triaged()
    assert desk.hear(2).verb == "nothing"
    assert len(desk.topics) == 1
    assert desk.types.count("PagePublished") == 1


def test_a_sev3_is_a_ticket_that_does_not_repeat(desk):
    desk.open()
    desk.triaged(Severity.SEV3)
    assert [s.channel for s in desk.topics.sent] == ["ticket"]
    assert desk.incident.repeat_seconds == 0


def test_staging_does_not_page_unless_routing_says_so(desk):
    desk.open(environment="staging")
    desk.triaged(Severity.SEV1)
    assert [s.channel for s in desk.topics.sent] == ["ticket"]
    loud = desk_with(Bundle.of({"catalog": {"routing": {"route": {"receiver": "page"}}}}))
    loud.open(environment="staging")
    loud.triaged(Severity.SEV1)
    assert [s.channel for s in loud.topics.sent] == ["page"]


@pytest.mark.parametrize("kind", [Kind.DRILL, Kind.HEARTBEAT])
def test_only_real_incidents_reach_page_and_ticket(desk, kind):
    desk.open(kind=kind)
    desk.triaged(Severity.SEV1)
    desk.happened("ApprovalRequested", data={"approval_id": "APR-7K3F9A-X"})
    assert {s.channel for s in desk.topics.sent} == {"test"}
    assert len(desk.topics) == 2


def test_monitor_mode_says_in_the_timeline_what_it_would_have_done(desk):
    desk.open(mode=Mode.MONITOR)
    desk.triaged()
    desk.hear(2)
    assert len(desk.topics) == 0
    assert desk.types == ["IncidentTriggered", "IncidentTriaged", "NotificationSkipped"]
    assert desk.table.entries["INC-7K3F9A"][-1].text == (
        "nobody was told: monitor mode: would have told the page topic, as SEV2"
    )


def test_promotion_waits_for_triage_and_then_pages(desk):
    desk.open(mode=Mode.MONITOR)
    desk.triaged(Severity.SEV3, triaged_as="monitor")
    desk.happened("IncidentPromoted", mode=Mode.LIVE)
    assert len(desk.topics) == 0
    desk.triaged(Severity.SEV2)
    assert [s.channel for s in desk.topics.sent] == ["page"]


def test_late_triage_of_the_same_severity_does_not_page_again(desk):
    desk.open()
    desk.clock.advance(seconds=61)
    sweep(desk.teller)
    desk.hear(2)
    desk.triaged(Severity.SEV2)
    assert len(desk.topics) == 1
    assert desk.topics.sent[0].attributes["event"] == "TriageOverdue"


def test_late_triage_that_finds_worse_pages_again(desk):
    desk.open()
    desk.clock.advance(seconds=61)
    sweep(desk.teller)
    desk.triaged(Severity.SEV1)
    assert [s.attributes["severity"] for s in desk.topics.on("page")] == ["SEV2", "SEV1"]


def test_a_ticket_that_becomes_a_page_is_paged(desk):
    desk.open()
    desk.triaged(Severity.SEV3)
    desk.change(lambda i: lifecycle.change_severity(i, Severity.SEV2, actor=ALICE, at=desk.clock(), why="worse"))
    assert [s.channel for s in desk.topics.sent] == ["ticket", "page"]


def test_a_lowered_severity_is_news_for_those_who_were_paged(desk):
    desk.open()
    desk.triaged(Severity.SEV1)
    desk.change(lambda i: lifecycle.change_severity(i, Severity.SEV3, actor=ALICE, at=desk.clock(), why="small"))
    assert [(s.channel, s.attributes["event"]) for s in desk.topics.sent] == [
        ("page", "IncidentTriaged"),
        ("page", "SeverityChanged"),
    ]
    assert desk.incident.repeat_seconds == 0


@pytest.mark.parametrize("lower", [Severity.SEV2, Severity.SEV4])
def test_who_was_paged_for_worse_is_not_called_again_for_less(desk, lower):
    desk.open()
    desk.triaged(Severity.SEV1)
    desk.change(lambda i: lifecycle.change_severity(i, lower, actor=ALICE, at=desk.clock(), why="smaller"))
    assert desk.hear(2).verb == "nothing"
    assert [s.attributes["event"] for s in desk.topics.sent] == ["IncidentTriaged", "SeverityChanged"]


def test_acknowledged_before_anybody_was_told_tells_nobody_and_says_so(desk):
    desk.open()
    desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.hear(2)
    assert len(desk.topics) == 0
    assert desk.types[-1] == "NotificationSkipped"
    desk.hear(2)
    assert desk.types.count("NotificationSkipped") == 1


def test_acknowledge_and_close_are_not_told(desk):
    desk.open()
    desk.triaged(Severity.SEV3)
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.change(lambda i: lifecycle.resolve(i, actor=ALICE, at=desk.clock()))
    desk.change(lambda i: lifecycle.close(i, actor=ALICE, at=desk.clock()))
    assert [s.attributes["event"] for s in desk.topics.sent] == ["IncidentTriaged", "IncidentResolved"]


def test_a_reopened_incident_pages_again(desk):
    desk.open()
    desk.triaged()
    desk.change(lambda i: lifecycle.resolve(i, actor=ALICE, at=desk.clock()))
    desk.change(lambda i: lifecycle.reopen(i, actor=ALICE, at=desk.clock(), window=WINDOW))
    assert [s.attributes["event"] for s in desk.topics.on("page")] == [
        "IncidentTriaged",
        "IncidentResolved",
        "IncidentReopened",
    ]


def test_impact_that_returns_to_what_nobody_took_is_told_until_somebody_does(desk):
    desk.open()
    desk.triaged()
    desk.change(lambda i: lifecycle.mitigate(i, actor=SYSTEM, at=desk.clock()))
    desk.change(lambda i: lifecycle.impact_returned(i, actor=SYSTEM, at=desk.clock(), text="back"))
    told = [s.attributes["event"] for s in desk.topics.on("page")]
    desk.clock.advance(minutes=5)
    sweep(desk.teller)
    assert [s.attributes["event"] for s in desk.topics.on("page")] == [*told, "ImpactReturned"]


def test_impact_that_returns_pages_although_somebody_has_it(desk):
    desk.open()
    desk.triaged()
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.change(lambda i: lifecycle.mitigate(i, actor=ALICE, at=desk.clock()))
    desk.change(lambda i: lifecycle.impact_returned(i, actor=ALICE, at=desk.clock(), text="back"))
    assert [s.attributes["event"] for s in desk.topics.on("page")] == [
        "IncidentTriaged",
        "IncidentMitigated",
        "ImpactReturned",
    ]
