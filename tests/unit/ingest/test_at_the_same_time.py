"""Others write between our reading and our writing: what they did is seen, and nothing is doubled."""

from incidentio.core.incident import Status
from incidentio.core.members import pointer_key
from incidentio.core.ports import Delete
from tests.unit.ingest.doors import Desk, action, arn


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
    desk.table.before_commit.append(lambda: desk.end(desk.incident.id))
    assert desk(action("OK", desk.at(10))).counts == {"remembered": 1}
    assert (desk.incident.status, desk.pointer()["state"]) == (Status.RESOLVED, "ok")


def test_a_pointer_deleted_meanwhile_is_no_trap() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    key = pointer_key(arn("checkout-errors"))
    desk.table.before_commit.append(lambda: desk.table.write(Delete(key)))
    desk(action("OK", desk.at(10)))
    assert desk.pointer()["state"] == "ok"
