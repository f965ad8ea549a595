"""Signals about what a playbook is at work on: they join its incident and open none."""

from datetime import timedelta

from incidentio.core.ports import Key, Put, Record
from incidentio.core.signal import Kind
from tests.unit.ingest.doors import Desk, action, event, notification, signal


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
            desk.end(desk.incident.id)
        lock(desk, desk.incident.id, minutes=minutes)
        desk(action("ALARM", desk.at(5), alarm="checkout-throttles", function="checkout"))
        assert len(desk.table) == 2
