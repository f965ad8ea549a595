"""Signals that recover and fire again: on the incident they had, on it reopened, or on a new one."""

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.ids import iso
from incidentio.core.incident import Status
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record, Update
from tests.unit.ingest.doors import Desk, action, arn, event


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
    assert (desk.incident.status, desk.incident.firing) == (Status.TRIGGERED, 1)


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
    desk.end(desk.incident.id)
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
    desk.end(old.id)
    desk.clock.advance(minutes=16)
    assert desk(action("ALARM", desk.at(950))).counts == {"new": 1}
    new = desk.incidents[1]
    assert [i.previous_incident_id for i in desk.incidents] == [None, old.id]
    (triggered,) = [entry for entry in desk.table.entries[new.id] if entry.type == "IncidentTriggered"]
    assert triggered.text == f"checkout-errors fires again after {old.id}: Threshold Crossed"
    assert triggered.data["previous_incident_id"] == old.id
    assert desk.pointer()["incident_id"] == new.id


def test_the_state_that_was_firing_when_a_person_resolved_does_not_reopen() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk.end(desk.incident.id)
    assert desk(event("ALARM", desk.at(0), mode="live"), action("ALARM", desk.at(0))).counts == {"duplicate": 2}
    assert desk.incident.status is Status.RESOLVED


def test_ok_after_the_end_only_moves_the_fence() -> None:
    desk = Desk()
    desk(action("ALARM", desk.at(0)))
    desk.end(desk.incident.id)
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
    desk.end(desk.incident.id)
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
    desk.end(desk.incident.id)
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
