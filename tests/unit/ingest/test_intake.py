"""What becomes of signals: one incident per trouble, whatever is repeated, reordered or late."""

from datetime import timedelta

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.ids import iso
from incidentio.core.incident import Incident, Status
from incidentio.core.members import closing, member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Delete, Key, Put, Record, Update
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode
from tests.unit.ingest.doors import Desk, action, arn, event, notification, signal


def end(desk: Desk, incident: Incident) -> None:
    """As a person or the sweeper does it."""

    def decide(current: Incident):  # type: ignore[no-untyped-def]
        change = lifecycle.resolve(current, actor=SYSTEM, at=desk.clock())
        return change, closing(desk.table, change.incident)

    amend(desk.table, incident.id, decide)


# --- a first signal


def test_an_attached_alarm_opens_a_live_incident() -> None:
    desk = Desk()
    report = desk(action("ALARM", desk.at(0), function="checkout"))
    incident = desk.incident
    assert report.counts == {"new": 1}
    assert (incident.mode, incident.severity, incident.status) == (Mode.LIVE, Severity.SEV2, Status.TRIGGERED)
    assert (incident.members, incident.firing, incident.dedup_key) == (1, 1, arn("checkout-errors"))
    assert incident.correlation_id == "m0"
    assert desk.types == ["IncidentTriggered"]
    member = desk.table.records[member_key(incident.id, arn("checkout-errors"))]
    assert (member["state"], member["title"], member["alarm_arn"]) == (
        "firing",
        "checkout-errors",
        arn("checkout-errors"),
    )
    assert member["subject"]["dimensions"] == {"FunctionName": "checkout"}


def test_an_alarm_nobody_attached_is_only_watched() -> None:
    desk = Desk()
    desk(event("ALARM", desk.at(0)))
    assert (desk.incident.mode, desk.incident.severity) == (Mode.MONITOR, Severity.SEV3)
    assert "not attached" in desk.incident.mode_reason


def test_a_new_incident_is_two_calls_a_lock_lookup_where_a_target_is_named_and_the_rate_where_it_is_live() -> None:
    desk = Desk()
    desk(event("ALARM", desk.at(0)))
    assert desk.table.calls == 2
    desk(event("ALARM", desk.at(0), alarm="other", function="checkout"))
    assert desk.table.calls == 5
    desk(action("ALARM", desk.at(0), alarm="the first in its window"))
    desk.table.calls = 0
    desk(action("ALARM", desk.at(0), alarm="live", function="checkout"))
    assert desk.table.calls == 4


def test_an_id_that_is_taken_is_drawn_again() -> None:
    taken = "INC-AAAAAA"
    ids = iter([taken, taken, "INC-BBBBBB"])
    desk = Desk(new_id=lambda: next(ids))
    desk(action("ALARM", desk.at(0)))
    desk(action("ALARM", desk.at(0), alarm="other"))
    assert set(desk.table.incidents) == {taken, "INC-BBBBBB"}


# --- repetition


def test_a_batch_of_repetitions_is_one_write_without_a_read() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    before = desk.table.calls
    report = desk(*[action("ALARM", desk.at(0))] * 10)
    assert desk.table.calls - before == 1
    assert report.counts == {"duplicate": 10}
    assert (desk.pointer()["count"], desk.types) == (11, ["IncidentTriggered"])


def test_the_same_alarm_through_both_doors_is_one_live_incident_in_either_order() -> None:
    for first, second in ((event, action), (action, event)):
        desk = Desk()
        desk(first("ALARM", desk.at(0)))
        desk(second("ALARM", desk.at(0)))
        assert desk.incident.mode is Mode.LIVE
        assert desk.pointer()["mode"] == "live"
        assert ("IncidentPromoted" in desk.types) == (first is event)
        assert desk.pointer()["count"] == 2
    assert desk.incident.version == 1


def test_both_doors_in_one_batch_open_it_live_at_once() -> None:
    desk = Desk()
    desk(event("ALARM", desk.at(0)), action("ALARM", desk.at(0)))
    assert (desk.incident.mode, desk.types) == (Mode.LIVE, ["IncidentTriggered"])


def test_promotion_is_a_lifecycle_change() -> None:
    desk = Desk()
    desk(event("ALARM", desk.at(0)))
    desk(action("ALARM", desk.at(0)))
    assert desk.incident.version == 2
    assert desk.incident.mode_reason == "its action is our signal topic"


def test_an_incident_promoted_by_somebody_else_is_not_promoted_twice() -> None:
    desk = Desk()
    desk(event("ALARM", desk.at(0)))
    stored = desk.incident
    desk.table.incidents[stored.id] = stored.model_copy(update={"mode": Mode.LIVE})
    desk(action("ALARM", desk.at(0)))
    assert desk.types == ["IncidentTriggered"]
    assert desk.pointer()["mode"] == "live"


# --- late and early


def test_what_is_older_than_the_fence_is_counted_and_changes_nothing() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    report = desk(action("OK", desk.at(-5)), action("ALARM", desk.at(-9)))
    assert report.counts == {"stale": 2}
    assert (desk.pointer()["stale"], desk.pointer()["state"], desk.incident.firing) == (2, "firing", 1)


def test_a_repetition_moves_the_fence_so_that_an_ok_between_is_late() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk(action("ALARM", desk.at(20)))
    assert desk(action("OK", desk.at(10))).counts == {"stale": 1}
    assert desk.incident.firing == 1


def test_ok_before_its_alarm_opens_nothing() -> None:
    desk = Desk()
    assert desk(action("OK", desk.at(10))).counts == {"remembered": 1}
    assert desk(action("ALARM", desk.at(0))).counts == {"stale": 1}
    assert not desk.table.incidents
    key = pointer_key(arn("checkout-errors"))
    assert desk.table.expires == {key: desk.clock() + timedelta(days=15)}
    desk(action("ALARM", desk.at(20)))
    assert desk.incident.firing == 1
    assert desk.table.expires == {}


def test_a_batch_is_taken_in_order_of_state_change() -> None:
    desk = Desk()
    desk(action("OK", desk.at(10)), action("ALARM", desk.at(20)), action("ALARM", desk.at(0)))
    assert desk.types == ["IncidentTriggered", "SignalRecovered", "SignalJoined"]


def test_a_source_that_counts_whole_seconds_is_taken_in_order_of_arrival() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    assert desk(action("OK", desk.at(0))).counts == {"recovered": 1}
    assert desk(action("ALARM", desk.at(0.5))).counts == {"fires_again": 1}
    assert desk(action("OK", desk.at(0.5))).counts == {"stale": 1}


# --- recovery and return


def test_the_last_ok_starts_the_watch_and_firing_again_ends_it() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk(action("OK", desk.at(10)))
    assert (desk.incident.firing, desk.incident.ok_since) == (0, desk.clock())
    desk(action("ALARM", desk.at(20)))
    assert (desk.incident.firing, desk.incident.members, desk.incident.ok_since) == (1, 1, None)
    assert desk.types == ["IncidentTriggered", "SignalRecovered", "SignalJoined"]
    assert desk.incident.version == 1


def test_impact_that_returns_to_a_mitigated_incident_is_told() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk(action("OK", desk.at(10)))
    amend(desk.table, desk.incident.id, lambda i: lifecycle.mitigate(i, actor=SYSTEM, at=desk.clock()))
    desk(action("ALARM", desk.at(20)))
    assert desk.types[-1] == "ImpactReturned"
    assert (desk.incident.status, desk.incident.firing) == (Status.ACKNOWLEDGED, 1)


def test_a_mitigated_sev2_does_not_wait_for_itself() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    amend(desk.table, desk.incident.id, lambda i: lifecycle.mitigate(i, actor=SYSTEM, at=desk.clock()))
    desk(action("OK", desk.at(10)))
    assert (desk.incident.firing, desk.incident.ok_since) == (0, None)


def test_a_signal_soon_after_the_resolution_reopens() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk(action("OK", desk.at(10)))
    end(desk, desk.incident)
    desk.clock.advance(minutes=14)
    assert desk(action("ALARM", desk.at(840))).counts == {"returned": 1}
    assert (desk.incident.status, desk.incident.firing, desk.incident.members) == (Status.TRIGGERED, 1, 1)
    assert desk.types[-1] == "IncidentReopened"
    assert desk.pointer()["open"] is True
    assert desk(action("ALARM", desk.at(840))).counts == {"duplicate": 1}


def test_later_it_is_a_new_incident_that_names_the_old_one() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    old = desk.incident
    desk(action("OK", desk.at(10)))
    end(desk, old)
    desk.clock.advance(minutes=16)
    assert desk(action("ALARM", desk.at(950))).counts == {"new": 1}
    assert [i.previous_incident_id for i in desk.incidents] == [None, old.id]
    assert desk.pointer()["incident_id"] == desk.incidents[1].id


def test_the_state_that_was_firing_when_a_person_resolved_does_not_reopen() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    end(desk, desk.incident)
    assert desk(event("ALARM", desk.at(0), mode="live"), action("ALARM", desk.at(0))).counts == {"duplicate": 2}
    assert desk.incident.status is Status.RESOLVED


def test_ok_after_the_end_only_moves_the_fence() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    end(desk, desk.incident)
    assert desk(action("OK", desk.at(10))).counts == {"remembered": 1}
    assert (desk.pointer()["state"], desk.pointer()["open"]) == ("ok", False)
    assert desk(action("ALARM", desk.at(5))).counts == {"stale": 1}


def test_reopening_counts_every_signal_that_fires() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    incident = desk.incident
    other = {"dedup_key": arn("b"), "state": "firing"}
    pointer = {"incident_id": incident.id, "open": True, "state": "firing", "mode": "live", "fence": "2026-01-01"}
    desk.table.write(Put(Record(member_key(incident.id, arn("b")), other)))
    desk.table.write(Put(Record(pointer_key(arn("b")), pointer)))
    desk.table.incidents[incident.id] = incident.model_copy(update={"members": 2, "firing": 2})
    desk(action("OK", desk.at(10)))
    end(desk, desk.incident)
    desk(action("ALARM", desk.at(20)))
    assert (desk.incident.firing, desk.incident.members) == (2, 2)
    assert desk.pointer("b")["open"] is True


def test_a_pointer_closed_by_mistake_finds_its_open_incident() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk.table.write(Update(pointer_key(arn("checkout-errors")), {"open": False}))
    assert desk(action("ALARM", desk.at(5))).counts == {"fires_again": 1}
    assert (desk.incident.firing, desk.pointer()["open"]) == (1, True)


def test_ok_on_a_pointer_closed_by_mistake_counts_for_its_open_incident() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk.table.write(Update(pointer_key(arn("checkout-errors")), {"open": False}))
    assert desk(action("OK", desk.at(5))).counts == {"recovered": 1}
    assert (desk.incident.firing, desk.incident.ok_since) == (0, desk.clock())
    assert (desk.pointer()["open"], desk.pointer()["state"]) == (True, "ok")


def test_ok_while_the_incident_reopens_is_counted_by_one_of_them() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    incident = desk.incident
    other = {"incident_id": incident.id, "open": True, "state": "firing", "mode": "live", "fence": iso(desk.at(0))}
    desk.table.write(Put(Record(member_key(incident.id, arn("b")), {"dedup_key": arn("b"), "state": "firing"})))
    desk.table.write(Put(Record(pointer_key(arn("b")), other)))
    desk.table.incidents[incident.id] = incident.model_copy(update={"members": 2, "firing": 2})
    end(desk, desk.incident)
    desk.table.before_commit.append(lambda: desk(action("OK", desk.at(10), alarm="b")))
    desk(action("ALARM", desk.at(20)))
    assert (desk.pointer("b")["state"], desk.pointer("b")["open"]) == ("ok", True)
    assert (desk.incident.firing, desk.incident.members) == (1, 2)


def test_a_signal_of_a_merged_incident_goes_to_where_it_was_merged() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    source = desk.incident
    desk(action("ALARM", desk.at(0), alarm="other"))
    target = next(i for i in desk.incidents if i.id != source.id)
    amend(desk.table, source.id, lambda i: lifecycle.merge(i, into=target, actor=SYSTEM, at=desk.clock()))
    desk.table.write(Update(pointer_key(arn("checkout-errors")), {"open": False}))
    desk(action("ALARM", desk.at(5)))
    joined = desk.table.incident(target.id)
    assert (joined.members, joined.firing) == (2, 2)
    assert desk.pointer()["incident_id"] == target.id


def test_an_incident_that_is_gone_from_the_table_is_opened_anew() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    del desk.table.incidents[desk.incident.id]
    desk(action("OK", desk.at(5)), action("ALARM", desk.at(10)))
    assert desk.incident.firing == 1


# --- notes


def test_no_verdict_is_noted_once_a_minute_and_changes_nothing() -> None:
    desk = Desk()
    assert desk(action("INSUFFICIENT_DATA", desk.at(-9))).counts == {"passed": 1}
    desk(action("ALARM", desk.at(0)))
    for second in (5, 6, 7):
        desk(action("INSUFFICIENT_DATA", desk.at(second)))
    assert desk.types == ["IncidentTriggered", "SignalNoted"]
    desk.clock.advance(seconds=61)
    desk(action("INSUFFICIENT_DATA", desk.at(61)))
    assert desk.types.count("SignalNoted") == 2
    assert (desk.pointer()["state"], desk.incident.firing) == ("firing", 1)
    assert desk(action("OK", desk.at(50))).counts == {"recovered": 1}


# --- a playbook at work


def lock(desk: Desk, incident_id: str, *, minutes: float = 10) -> None:
    target = "AWS::Lambda::Function|111122223333|eu-west-1|checkout"
    until = (desk.clock() + timedelta(minutes=minutes)).isoformat()
    body = {"incident_id": incident_id, "run_id": "RUN-1", "expires_at": until}
    desk.table.write(Put(Record(Key(f"LOCK#{target}", "LOCK"), body)))


def test_a_signal_on_a_target_a_playbook_works_on_joins_its_incident() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    holder = desk.incident
    lock(desk, holder.id)
    report = desk(event("ALARM", desk.at(5), alarm="checkout-throttles", function="checkout"))
    assert report.counts == {"joined": 1}
    assert (desk.incident.members, desk.incident.firing) == (2, 2)
    assert desk.types == ["IncidentTriggered", "SignalJoined"]
    assert desk.pointer("checkout-throttles")["incident_id"] == holder.id
    desk(event("OK", desk.at(9), alarm="checkout-throttles"))
    assert (desk.incident.firing, desk.incident.ok_since) == (1, None)


def test_a_real_alarm_never_disappears_in_a_drill() -> None:
    desk = Desk()
    desk(notification(signal("firing", desk.at(0), kind="drill")))
    lock(desk, desk.incident.id)
    assert desk(action("ALARM", desk.at(5), function="checkout")).counts == {"new": 1}
    assert {(i.kind, i.members) for i in desk.incidents} == {(Kind.DRILL, 1), (Kind.REAL, 1)}


def test_a_lock_that_expired_or_whose_incident_ended_holds_nothing() -> None:
    for minutes, ended in ((-1, False), (10, True)):
        desk = Desk()
        desk(action("ALARM", desk.at(0)))
        if ended:
            end(desk, desk.incident)
        lock(desk, desk.incident.id, minutes=minutes)
        desk(action("ALARM", desk.at(5), alarm="checkout-throttles", function="checkout"))
        assert len(desk.table) == 2


# --- others write at the same time


def test_two_at_once_open_one_incident() -> None:
    desk = Desk()
    desk.table.before_commit.append(lambda: desk(action("ALARM", desk.at(0))))
    desk(action("ALARM", desk.at(0)))
    assert len(desk.table) == 1
    assert desk.pointer()["count"] == 2


def test_an_ok_that_a_newer_alarm_overtakes_while_it_is_written_is_late() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk.table.before_commit.append(lambda: desk(action("ALARM", desk.at(20))))
    assert desk(action("OK", desk.at(10))).counts == {"stale": 1}
    assert (desk.incident.firing, desk.incident.ok_since, desk.pointer()["state"]) == (1, None, "firing")


def test_resolved_between_reading_and_writing_is_decided_again() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk.table.before_commit.append(lambda: end(desk, desk.incident))
    assert desk(action("OK", desk.at(10))).counts == {"remembered": 1}
    assert (desk.incident.status, desk.pointer()["state"]) == (Status.RESOLVED, "ok")


def test_a_pointer_deleted_meanwhile_is_no_trap() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    key = pointer_key(arn("checkout-errors"))
    desk.table.before_commit.append(lambda: desk.table.write(Delete(key)))
    desk(action("OK", desk.at(10)))
    assert desk.pointer()["state"] == "ok"


# --- our own contract


def test_a_heartbeat_is_an_incident_of_its_own_kind() -> None:
    desk = Desk()
    desk(notification(signal("firing", desk.at(0), kind="heartbeat", severity="SEV4")))
    assert (desk.incident.kind, desk.incident.severity, desk.incident.mode) == (
        Kind.HEARTBEAT,
        Severity.SEV4,
        Mode.LIVE,
    )
    desk(notification(signal("ok", desk.at(5), kind="heartbeat")))
    assert desk.incident.ok_since is not None
