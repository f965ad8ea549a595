"""The use case: one commit, however often it is asked, and nothing lost when AWS does not answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentio.core import lifecycle
from incidentio.core.errors import Unavailable
from incidentio.core.incident import Status, recorded
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from incidentio.core.timeline import first_broken_link
from tests.make import ALICE
from tests.unit.triage.conftest import ARN, CATALOG, ID, THROTTLE, FakeTags, Room, bundle_of, subject


def test_it_records_everything_with_its_reason_in_one_entry(room):
    room.bundle = bundle_of(CATALOG, THROTTLE)
    room.open(subject=subject(metric="Errors", dimensions={"FunctionName": "checkout"}), mode_reason="attached")
    incident = room.triage()
    assert room.table.types(ID) == ["IncidentTriggered", "IncidentTriaged"]
    assert (incident.service, incident.severity, incident.version) == ("checkout", Severity.SEV1, 2)
    assert (incident.blast_radius, incident.proposed) == (("web",), ("throttle-function",))
    assert (incident.triaged_at, incident.triaged_as) == (room.clock(), "live")
    assert room.last.keys() >= {"service_why", "severity_why", "environment_why", "proposed_why", "blast_radius"}
    assert room.last["missing"] == []


def test_why_you_were_paged_is_one_sentence(room):
    room.bundle = bundle_of(CATALOG)
    room.open(mode_reason="its action is our signal topic")
    assert room.triage().why == (
        "Alarm checkout-5xx fired (Threshold Crossed: 1 datapoint [12.0 (01/03/26 11:58:00)] was greater than the "
        "threshold (5.0)) on production service checkout (depended on by web); it is SEV1 because checkout is tier 1, "
        "and it is live because its action is our signal topic."
    )


def test_a_repeated_event_changes_nothing(room):
    room.open()
    first = room.triage()
    assert room.triage() == first
    assert room.table.types(ID) == ["IncidentTriggered", "IncidentTriaged"]


def test_tags_that_came_with_the_event_are_not_asked_for(room):
    room.open(tags={"severity": "SEV3"})
    assert room.triage().severity is Severity.SEV3
    assert room.tags.asked == 0


def test_tags_that_cannot_be_read_are_missing_context_and_triage_goes_on(room):
    room.tags.failure = Unavailable(f"reading the tags of {ARN}: Throttling")
    room.open()
    assert room.triage().triaged_as == "live"
    assert "Throttling" in room.last["missing"][0]


def test_an_incident_opened_by_hand_asks_aws_nothing(room):
    room.open(subject=subject("x").model_copy(update={"alarm_arn": "", "alarm_name": ""}), dedup_key=None, members=0)
    room.triage()
    assert room.tags.asked == 0


def test_the_page_tag_promotes_in_the_same_commit(room):
    room.tags = FakeTags({ARN: {"incidentio:page": "true"}})
    room.open(mode=Mode.MONITOR, severity=Severity.SEV3)
    room.table.write(Put(Record(pointer_key(ARN), {"mode": "monitor"})))
    incident = room.triage()
    assert room.table.types(ID) == ["IncidentTriggered", "IncidentPromoted", "IncidentTriaged"]
    assert (incident.mode, incident.severity, incident.version) == (Mode.LIVE, Severity.SEV2, 2)
    assert room.table.get(pointer_key(ARN)) == {"mode": "live"}
    assert room.triage() == incident


def test_a_promotion_by_somebody_else_is_judged_again(room):
    room.open(mode=Mode.MONITOR)
    assert room.triage().severity is Severity.SEV3
    room.table.commit(
        recorded(
            room.table.incident(ID),
            "IncidentPromoted",
            actor=SYSTEM,
            at=room.clock(),
            text="attached",
            mode=Mode.LIVE,
        )
    )
    incident = room.triage()
    assert (incident.triaged_as, incident.severity) == ("live", Severity.SEV2)


def test_late_triage_still_enriches_and_does_not_lower(room):
    room.bundle = bundle_of({"services": {"checkout": {"tier": 4, "match": {"alarm_names": ["*"]}}}})
    room.open()
    assumed = {"triaged_at": room.clock(), "triaged_as": "overdue", "severity": Severity.SEV2}
    room.table.commit(
        recorded(room.table.incident(ID), "TriageOverdue", actor=SYSTEM, at=room.clock(), text="late", **assumed)
    )
    overdue_at = room.clock()
    room.clock.advance(minutes=3)
    incident = room.triage()
    assert (incident.service, incident.severity) == ("checkout", Severity.SEV2)
    assert incident.triaged_at == overdue_at
    assert "triage does not lower" in room.last["severity_why"]


def test_a_signal_that_joins_with_worse_evidence_raises_the_severity(room):
    room.open(tags={"severity": "SEV4"})
    room.triage()
    other = ARN.replace("checkout-5xx", "checkout-latency")
    room.tags = FakeTags({other: {"severity": "SEV1"}})
    body = {"dedup_key": other, "alarm_arn": other, "reason": "", "title": "checkout-latency", "state": "firing"}
    room.table.write(Put(Record(member_key(ID, other), body)))
    assert room.triage().severity is Severity.SEV1
    assert room.triage().version == 3


def test_a_person_who_set_the_severity_is_not_overruled(room):
    room.open(tags={"severity": "SEV1"})
    room.table.commit(
        lifecycle.change_severity(room.table.incident(ID), Severity.SEV4, actor=ALICE, at=room.clock(), why="small")
    )
    assert room.triage().severity is Severity.SEV4


@pytest.mark.parametrize("status", [Status.CLOSED, Status.CANCELLED, Status.MERGED])
def test_what_is_over_is_left_alone(room, status):
    room.open(status=status)
    room.triage()
    assert room.table.types(ID) == ["IncidentTriggered"]


def test_what_resolved_before_triage_is_triaged_once_for_its_postmortem(room):
    room.open(status=Status.RESOLVED)
    room.triage()
    room.triage()
    assert room.table.types(ID) == ["IncidentTriggered", "IncidentTriaged"]


def test_a_secret_in_a_tag_does_not_reach_the_timeline(room):
    room.open(tags={"severity": "AKIAIOSFODNN7EXAMPLE"})
    room.triage()
    assert "AKIAIOSFODNN7EXAMPLE" not in room.table.entries[ID][-1].model_dump_json()


def test_a_writer_in_between_only_makes_it_decide_again(room):
    room.open()

    def acknowledged():
        room.table.commit(lifecycle.acknowledge(room.table.incident(ID), actor=ALICE, at=room.clock()))

    room.table.before_commit.append(acknowledged)
    incident = room.triage()
    assert (incident.status, incident.triaged_as) == (Status.ACKNOWLEDGED, "live")


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["triage", "promote", "note", "ack", "overdue"]), max_size=12))
def test_any_order_of_events_triages_at_most_once_per_mode_and_keeps_the_chain(steps):
    room = Room()
    room.open(mode=Mode.MONITOR)
    for step in steps:
        incident = room.table.incident(ID)
        at = room.clock.advance(seconds=1)
        if step == "triage":
            room.triage()
        elif step == "promote":
            room.table.commit(recorded(incident, "IncidentPromoted", actor=SYSTEM, at=at, text="live", mode=Mode.LIVE))
        elif step == "note":
            room.table.commit(recorded(incident, "NoteAdded", actor=SYSTEM, at=at, text="hm"))
        elif step == "ack" and incident.status is Status.TRIGGERED:
            room.table.commit(lifecycle.acknowledge(incident, actor=ALICE, at=at))
        elif step == "overdue" and not incident.triaged_at:
            assumed = {"triaged_at": at, "triaged_as": "overdue"}
            room.table.commit(recorded(incident, "TriageOverdue", actor=SYSTEM, at=at, text="late", **assumed))
    types = room.table.types(ID)
    assert types.count("IncidentTriaged") <= (2 if "promote" in steps else 1)
    incident = room.table.incident(ID)
    entries = room.table.timeline(ID)
    assert first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash) is None


def test_the_severity_a_signal_came_with_counts(room):
    room.open(said="SEV4")
    assert room.triage().severity is Severity.SEV4
    assert room.last["severity_why"] == "the signal says so"


def test_a_joined_signal_that_is_no_alarm_counts_as_well(room):
    room.open(tags={"severity": "SEV4"})
    body = {"dedup_key": "canary/checkout", "title": "canary", "state": "firing", "severity": "SEV1"}
    room.table.write(Put(Record(member_key(ID, "canary/checkout"), body)))
    assert room.triage().severity is Severity.SEV1


def test_many_unreadable_tags_do_not_outgrow_an_entry(room):
    room.open(tags={"severity": "SEV4"})
    for n in range(300):
        body = {"dedup_key": f"k{n}", "title": "x", "state": "firing", "tags": {"severity": f"bad {n} " + "x" * 200}}
        room.table.write(Put(Record(member_key(ID, f"k{n}"), body)))
    room.triage()
    assert len(room.last["missing"]) == 11
    assert room.last["missing"][-1] == "and 290 more"


def test_a_secret_in_an_alarms_tag_is_kept_nowhere(room: Room) -> None:
    room.tags.tags[ARN] = {"hook": "https://user:hunter2secret@example.com/x", "contact": "alice.smith@example.com"}
    room.open()
    labels = room.triage().labels
    assert labels.keys() == {"hook", "contact"}
    everything = f"{labels} {room.table.records} {room.table.entries}"
    assert "hunter2secret" not in everything
    assert "alice.smith" not in everything
