from dataclasses import replace

import pytest

from incidentio.communicate.sweep import sweep
from incidentio.core import lifecycle
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Unavailable
from incidentio.core.incident import Status
from incidentio.core.members import member_key
from incidentio.core.ports import Key, Put, Record
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Subject
from tests.make import ALICE, opened
from tests.unit.communicate.conftest import ID, desk_with
from tests.unit.communicate.test_message import REASON


def test_it_leaves_a_heartbeat(desk):
    sweep(desk.teller)
    assert desk.table.get(Key("BEAT", "communicate")) == {"at": "2026-03-01T12:00:00.000Z", "whole": True}


def test_an_incident_nobody_triaged_is_paged_as_sev2_with_the_reason(desk):
    desk.open(severity=Severity.SEV4)
    desk.clock.advance(seconds=59)
    sweep(desk.teller)
    assert desk.types == ["IncidentTriggered"]
    desk.clock.advance(seconds=1)
    sweep(desk.teller)
    assert desk.types == ["IncidentTriggered", "TriageOverdue", "PagePublished"]
    assert desk.incident.severity is Severity.SEV2
    assert "triage did not come within 1m" in desk.topics.sent[0].body


def test_a_severity_a_person_set_is_not_overruled_by_the_timeout(desk):
    desk.open(severity=Severity.SEV4, severity_set=True)
    desk.clock.advance(minutes=2)
    sweep(desk.teller)
    assert desk.incident.severity is Severity.SEV4
    assert [s.channel for s in desk.topics.sent] == ["ticket"]


def test_a_page_repeats_until_it_is_acknowledged(desk):
    desk.open()
    desk.triaged()
    for _ in range(2):
        desk.clock.advance(minutes=4)
        sweep(desk.teller)
        desk.clock.advance(minutes=1)
        sweep(desk.teller)
        sweep(desk.teller)
    assert [s.page_id[-1] for s in desk.topics.sent] == ["1", "2", "3"]
    assert "page 3, not acknowledged" in desk.topics.sent[-1].subject
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.clock.advance(minutes=20)
    sweep(desk.teller)
    assert len(desk.topics) == 3


def test_a_heartbeat_incident_does_not_repeat(desk):
    desk.open(kind=Kind.HEARTBEAT)
    desk.triaged()
    desk.clock.advance(hours=1)
    sweep(desk.teller)
    assert len(desk.topics) == 1


def test_a_call_whose_event_was_lost_is_made(desk):
    desk.open()
    desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    desk.clock.advance(seconds=61)
    sweep(desk.teller)
    assert [s.channel for s in desk.topics.sent] == ["page"]
    desk.hear(2)
    assert len(desk.topics) == 1


def test_a_repeat_that_was_claimed_and_not_recorded_keeps_its_page_id(desk, sns_is_down):
    desk.open()
    desk.triaged()
    desk.clock.advance(minutes=5)
    desk.topics.failures.append(sns_is_down)
    swept = sweep(desk.teller)
    assert list(swept.failed) == ["INC-7K3F9A"]
    sweep(desk.teller)
    assert [s.page_id[-1] for s in desk.topics.sent] == ["1", "2"]


def test_one_incident_that_fails_does_not_stop_the_others(desk):
    desk.open()
    desk.table.commit(opened(id="INC-000002"))
    desk.clock.advance(seconds=61)
    desk.topics.failures.append(Unavailable("down"))
    swept = sweep(desk.teller)
    assert len(swept.failed) == len(swept.done) == 1


def test_triage_that_was_faster_than_the_sweep_wins(desk):
    desk.open()
    desk.clock.advance(seconds=61)
    desk.table.before_commit.append(
        lambda: desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    )
    sweep(desk.teller)
    assert "TriageOverdue" not in desk.types
    assert len(desk.topics) == 1


def test_recovery_being_watched_is_not_its_business(desk):
    desk.open()
    desk.triaged(Severity.SEV3)
    desk.record("SignalRecovered", ok_since=desk.clock())
    desk.clock.advance(hours=1)
    assert sweep(desk.teller).done == {}
    assert desk.incident.status is Status.TRIGGERED


def test_a_page_without_triage_says_what_fired_and_does_not_guess(desk):
    desk.open(dedup_key="k", subject=Subject(alarm_name="checkout-5xx", metric="Errors"))
    desk.table.write(Put(Record(member_key(ID, "k"), {"reason": REASON})))
    desk.clock.advance(seconds=61)
    sweep(desk.teller)
    (first,) = desk.topics.sent
    assert first.subject == "SEV2 checkout-5xx Errors 12>5, not triaged in time, INC-7K3F9A"
    assert "Alarm checkout-5xx fired (Threshold Crossed" in first.body
    assert "Not known yet: triage" in first.body
    desk.triaged()
    desk.clock.advance(minutes=6)
    sweep(desk.teller)
    assert "not triaged" not in desk.topics.sent[-1].subject


def test_a_deployment_with_a_longer_interval_is_told_and_the_next_call_is_named_by_it(desk):
    desk.open()
    desk.triaged()
    later = desk_with(Bundle.of({"catalog": {"routing": {"repeat_interval": "1h"}}}), desk.clock)
    teller = replace(desk.teller, bundle=later.teller.bundle)
    desk.clock.advance(minutes=5)
    sweep(teller)
    sweep(teller)
    assert desk.types[-2:] == ["PagePublished", "NotificationSkipped"]
    assert desk.table.entries[ID][-1].text == "not told again yet: it repeats every 1h now, not every 5m"
    assert desk.incident.repeat_seconds == 3600
    assert len(desk.topics) == 1
    desk.clock.advance(minutes=55)
    sweep(teller)
    assert len(desk.topics) == 2


@pytest.mark.parametrize("asleep", [False, True])
def test_a_record_that_cannot_be_read_does_not_keep_the_others_from_being_told(desk, monkeypatch, asleep):
    desk.table.commit(opened(id="INC-AAAAAA"))
    if asleep:
        desk.table.write(Put(Record(Key("QUIET#HELD", "INC-AAAAAA"), {"quiet": "SIL-GONE"})))
    desk.open()
    desk.clock.advance(seconds=61)
    read = desk.table.incident

    def broken(incident_id):
        if incident_id == "INC-AAAAAA":
            raise ValueError("severity: Input should be 'SEV1', …")
        return read(incident_id)

    monkeypatch.setattr(desk.table, "incident", broken)
    swept = sweep(desk.teller)
    assert list(swept.failed) == ["INC-AAAAAA"]
    assert [sent.attributes["incident_id"] for sent in desk.topics.sent] == [ID]
