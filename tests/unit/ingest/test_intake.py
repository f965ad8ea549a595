"""What becomes of signals: one incident per trouble, whatever is repeated, reordered or late."""

import json
from datetime import timedelta

from incidentio.core.incident import Status
from incidentio.core.members import member_key, pointer_key
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode
from tests.unit.ingest.doors import Desk, action, arn, event, notification, signal


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


def test_what_is_older_than_the_fence_is_counted_and_changes_nothing() -> None:
    desk = Desk()
    desk(action("OK", desk.at(-3)))
    desk(action("ALARM", desk.at(0)))
    report = desk(action("OK", desk.at(-5)), action("ALARM", desk.at(-9)))
    assert report.counts == {"stale": 2}
    assert (desk.pointer()["stale"], desk.pointer()["state"], desk.incident.firing) == (2, "firing", 1)


def test_what_fires_and_was_overtaken_by_the_next_of_its_kind_counts_and_moves_no_fence_back() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(20)))
    assert desk(action("ALARM", desk.at(5))).counts == {"duplicate": 1}
    assert (desk.pointer()["count"], desk.pointer()["stale"]) == (2, 0)
    assert desk(action("OK", desk.at(10))).counts == {"stale": 1}
    assert desk.types == ["IncidentTriggered"]


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


def test_one_contributor_that_is_ok_again_ends_nothing_while_another_fires() -> None:
    desk = Desk()
    for second, state, table in ((0, "ALARM", "orders"), (1, "ALARM", "carts"), (2, "OK", "orders")):
        message = json.loads(json.loads(action(state, desk.at(second)))["Message"])
        told = {"AlarmContributorId": table, "AlarmContributorAttributes": {"TableName": table}}
        desk(notification({**message, **told}))
    assert desk.types == ["IncidentTriggered", "SignalNoted"]
    assert (desk.incident.firing, desk.incident.ok_since) == (1, None)
    desk(action("OK", desk.at(9)))
    assert desk.incident.firing == 0


def test_a_long_message_counts_although_json_within_json_makes_it_longer() -> None:
    desk = Desk()
    body = notification("no route to host\n" * 15_000)
    assert len(body) > 256 * 1024
    assert desk(body).counts == {"new": 1}


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
