"""While A fires on X, B on X joins it silently; and it is not lost when A recovers first."""

import json
from typing import Any

import pytest

from incidentio.core.catalog import Catalog
from incidentio.core.events import event_of
from incidentio.core.incident import Incident
from incidentio.core.members import member_key, members_of, moving_writes, pointer_key, pointers_of
from incidentio.core.routing import Routing
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from incidentio.detect.recovery import recover
from tests.unit.ingest.doors import Desk, event, notification, signal

RULE = {"source_matchers": ['alertname="az-down"'], "target_matchers": ['alertname=~"host-.*"'], "equal": ["zone"]}


def desk_with(*rules: dict[str, Any], **routing: Any) -> Desk:
    return Desk(Catalog.model_validate({"routing": {"inhibit_rules": list(rules or (RULE,)), **routing}}))


def told(desk: Desk, state: str, name: str, second: float, *, zone: str = "a", **fields: Any) -> str:
    key = f"{name}/{zone}"
    tags = {"alertname": name, "zone": zone}
    return notification(signal(state, desk.at(second), dedup_key=key, title=key, tags=tags, **fields))


def incident_of(desk: Desk, name: str, zone: str = "a") -> Incident:
    return desk.table.incident(desk.table.records[pointer_key(f"{name}/{zone}")]["incident_id"])


def test_what_is_inhibited_is_a_member_of_its_inhibitors_incident_and_says_by_which_rule() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    report = desk(told(desk, "firing", "host-down", 5, severity="SEV1"), told(desk, "firing", "host-slow", 5))
    assert report.counts == {"joined": 2}
    assert (desk.incident.members, desk.incident.firing) == (3, 3)
    assert desk.types == ["IncidentTriggered", "SignalInhibited"]
    entry = desk.table.entries[desk.incident.id][-1]
    assert 'az-down/a fires (alertname="az-down" inhibits alertname=~"host-.*" of equal zone)' in entry.text
    assert "nobody is told" in entry.text
    assert desk.table.records[member_key(desk.incident.id, "host-down/a")]["inhibited"]


def test_the_entry_says_whose_rule_it_is_why_and_until_when() -> None:
    desk = desk_with({**RULE, "author": "ana", "reason": "one page a zone is enough"})
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    entry = desk.table.entries[desk.incident.id][-1]
    assert "nobody is told of it (ana, one page a zone is enough)" in entry.text
    data = entry.data
    assert (data["author"], data["comment"]) == ("ana", "one page a zone is enough")
    assert data["ends"] == "when az-down/a has been ok for 5m"


def test_only_equal_labels_the_other_side_and_what_fires_inhibit() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5, zone="b"), told(desk, "firing", "disk-full", 5))
    desk(told(desk, "firing", "host-down", 5, kind="drill"))
    assert len(desk.table) == 4
    desk(told(desk, "ok", "az-down", 8))
    desk(told(desk, "firing", "host-slow", 9))
    assert incident_of(desk, "host-slow").id != incident_of(desk, "az-down").id


def test_a_target_that_comes_first_keeps_its_incident() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "host-down", 0))
    desk(told(desk, "firing", "az-down", 5))
    desk(told(desk, "firing", "host-down", 6))
    assert len(desk.table) == 2


def test_a_signal_on_both_sides_does_not_inhibit_its_own_kind() -> None:
    desk = desk_with({"source_matchers": ['zone="a"'], "target_matchers": ['zone="a"']})
    desk(told(desk, "firing", "x", 0))
    desk(told(desk, "firing", "y", 1))
    assert len(desk.table) == 2


def test_what_nobody_is_told_of_inhibits_nothing_that_somebody_must_hear() -> None:
    desk = desk_with({"source_matchers": ['alertname="az-down"'], "target_matchers": ['alertname!="az-down"']})
    desk(event("ALARM", desk.at(0), alarm="az-down"))
    assert desk.incident.mode is Mode.MONITOR
    desk(notification(signal("firing", desk.at(1))))
    assert len(desk.table) == 2
    desk(event("ALARM", desk.at(2), alarm="watched"))
    assert len(desk.table) == 2


def test_the_incident_does_not_recover_while_what_it_inhibited_fires() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    desk(told(desk, "ok", "az-down", 10))
    assert (desk.incident.firing, desk.incident.ok_since) == (1, None)
    desk(told(desk, "ok", "host-down", 15))
    assert (desk.incident.firing, desk.incident.ok_since) == (0, desk.clock())


@pytest.mark.parametrize("second", [5, 20])
def test_when_the_inhibitor_fires_no_more_its_next_signal_opens_an_incident_of_its_own(second: float) -> None:
    """Also when it is the same state change once more, as reconciliation sends it."""
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    assert desk(told(desk, "firing", "host-down", second)).counts == {"duplicate": 1}
    desk(told(desk, "ok", "az-down", 10))
    again = max(second, 5)
    assert desk(told(desk, "firing", "host-down", again)).counts == {"new": 1}
    source, own = incident_of(desk, "az-down"), incident_of(desk, "host-down")
    assert (source.members, source.firing, source.ok_since) == (1, 0, desk.clock())
    assert desk.table.types(source.id)[-1] == "IncidentSplit"
    assert (own.members, own.firing, own.mode) == (1, 1, Mode.LIVE)
    assert member_key(source.id, "host-down/a") not in desk.table.records
    assert desk(told(desk, "firing", "host-down", again)).counts == {"duplicate": 1}
    assert desk.table.records[pointer_key("host-down/a")]["open"] is True


def test_one_that_recovered_and_fires_again_is_inhibited_again_only_while_the_inhibitor_fires() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0), told(desk, "firing", "az-down", 0, zone="b"))
    desk(told(desk, "firing", "host-down", 1))
    desk(told(desk, "ok", "host-down", 2))
    assert desk(told(desk, "firing", "host-down", 3)).counts == {"fires_again": 1}
    assert desk.table.types(incident_of(desk, "az-down").id).count("SignalInhibited") == 2
    desk(told(desk, "ok", "host-down", 4), told(desk, "ok", "az-down", 5))
    assert desk(told(desk, "firing", "host-down", 6)).counts == {"new": 1}


def test_what_left_goes_on_where_a_worker_died_in_between() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    desk(told(desk, "ok", "az-down", 10))
    commit = desk.table.commit
    desk.table.commit = lambda change, *writes: (  # type: ignore[method-assign]
        commit(change, *writes) if change.expected_seq else (_ for _ in ()).throw(ConnectionError())
    )
    assert desk(told(desk, "firing", "host-down", 20)).failed == ["m0"]
    assert incident_of(desk, "az-down").members == 1
    desk.table.commit = commit  # type: ignore[method-assign]
    assert desk(told(desk, "firing", "host-down", 20)).counts == {"new": 1}
    assert len(desk.table) == 2


def test_an_ok_of_one_that_left_and_was_not_opened_yet_only_moves_the_fence() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    left = {"incident_id": desk.incident.id, "apart": desk.incident.id, "open": False, "state": "firing"}
    desk.table.records[pointer_key("host-down/a")] = {**left, "mode": "live", "fence": "2026-03-01T12:00:05.000Z"}
    assert desk(told(desk, "ok", "host-down", 20)).counts == {"remembered": 1}
    assert desk.incident.firing == 1


def test_when_the_inhibitors_incident_is_over_the_inhibited_one_is_a_signal_like_any_other() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    desk.end(desk.incident.id)
    desk.clock.advance(hours=1)
    assert desk(told(desk, "firing", "host-down", 3600)).counts == {"new": 1}
    assert incident_of(desk, "host-down").previous_incident_id == incident_of(desk, "az-down").id


def test_one_that_a_person_moves_away_is_inhibited_no_more() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    source = desk.incident
    target = source.model_copy(update={"id": "INC-T4RGET"})
    (member,) = [m for m in members_of(desk.table, source.id) if m.get("inhibited")]
    pointers = pointers_of(desk.table, [member])
    desk.table.write(*moving_writes([member], pointers, source=source.id, target=target, apart=True))
    moved = desk.table.records[member_key(target.id, "host-down/a")]
    assert "inhibited" not in moved
    pointer = desk.table.records[pointer_key("host-down/a")]
    assert (pointer["open"], pointer["inhibited"], pointer["apart"]) == (True, False, source.id)


def sources_of(desk: Desk) -> list[str]:
    return sorted(body["dedup_key"] for key, body in desk.table.records.items() if key.pk.startswith("INHIBIT#"))


def test_what_has_recovered_is_not_looked_at_for_ever() -> None:
    desk = desk_with({"source_matchers": ['alertname=~"az-.*"'], "target_matchers": ['alertname=~"host-.*"']})
    for n in range(60):
        desk(told(desk, "firing", f"az-{n}", n), told(desk, "ok", f"az-{n}", n + 0.5))
    desk.clock.advance(minutes=10)
    desk(told(desk, "firing", "az-fires", 60))
    for n in range(4):
        assert desk(told(desk, "firing", f"host-{n}", 61 + n)).counts == {"joined": 1}
    assert sources_of(desk) == ["az-fires/a"]
    desk(told(desk, "firing", "az-7", 70), told(desk, "ok", "az-fires", 70))
    assert desk(told(desk, "firing", "host-9", 71)).counts == {"joined": 1}
    assert incident_of(desk, "host-9").id == incident_of(desk, "az-7").id


def test_what_a_person_ended_while_it_fired_is_forgotten_when_it_was_silent_for_long() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk.end(desk.incident.id)
    desk(told(desk, "firing", "host-down", 5))
    assert sources_of(desk) == ["az-down/a"]
    desk.clock.advance(days=8)
    desk(told(desk, "firing", "host-slow", 8 * 86400))
    assert sources_of(desk) == []


def test_a_source_that_fires_again_while_it_is_forgotten_stays_known() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0), told(desk, "ok", "az-down", 1))
    desk.clock.advance(minutes=6)
    write = desk.table.write

    def overtaken(*writes: Any) -> None:
        desk.table.write = write  # type: ignore[method-assign]
        desk(told(desk, "firing", "az-down", 5))
        write(*writes)

    desk.table.write = overtaken  # type: ignore[method-assign]
    desk(told(desk, "firing", "host-down", 5))
    assert sources_of(desk) == ["az-down/a"]
    assert desk(told(desk, "firing", "host-slow", 6)).counts == {"joined": 1}


def released(desk: Desk) -> str:
    """The event of the sweep when the inhibitor has been ok for long enough, as the bus brings it."""
    recover(desk.table, Routing(), desk.clock.advance(minutes=5))
    (entry,) = [e for entries in desk.table.entries.values() for e in entries if e.type == "InhibitionEnded"]
    detail = event_of(entry).model_dump(mode="json")
    return json.dumps({"source": "incidentio", "detail-type": entry.type, "detail": detail})


def test_what_was_said_once_is_heard_when_its_inhibitor_has_been_ok_for_long_enough() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5, severity="SEV1", service="shop", reason="no route"))
    desk(told(desk, "ok", "az-down", 10))
    assert recover(desk.table, Routing(), desk.clock.advance(minutes=4)) == (0, 0)
    desk.clock.advance(minutes=-4)
    message = released(desk)
    assert desk(message).counts == {"new": 1}
    source, own = incident_of(desk, "az-down"), incident_of(desk, "host-down")
    assert (own.severity, own.service, own.mode, own.firing) == (Severity.SEV1, "shop", Mode.LIVE, 1)
    assert desk.table.records[member_key(own.id, "host-down/a")]["reason"] == "no route"
    assert (source.members, source.firing) == (1, 0)
    assert desk(message).counts == {}
    assert len(desk.table) == 2


def test_what_is_still_inhibited_or_ok_by_then_is_not_heard() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5), told(desk, "firing", "host-slow", 5))
    desk(told(desk, "ok", "az-down", 10))
    desk(told(desk, "ok", "host-slow", 11), told(desk, "firing", "az-down", 12))
    desk(released(desk))
    assert len(desk.table) == 1
    assert (desk.incident.members, desk.incident.firing) == (3, 2)


def test_what_was_only_watched_stays_so_when_it_is_let_go() -> None:
    desk = desk_with({"source_matchers": ['alertname="az-down"'], "target_matchers": ['alertname="watched"']})
    desk(told(desk, "firing", "az-down", 0))
    desk(event("ALARM", desk.at(1), alarm="watched"))
    assert len(desk.table) == 1
    desk(told(desk, "ok", "az-down", 2))
    desk(released(desk))
    own = desk.table.incident(desk.pointer("watched")["incident_id"])
    assert (own.mode, own.subject.alarm_name) == (Mode.MONITOR, "watched")


def test_more_than_one_delivery_has_time_for_come_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidentio.ingest.released.AT_ONCE", 3)
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(*(told(desk, "firing", f"host-{n}", 5) for n in range(5)))
    desk(told(desk, "ok", "az-down", 10))
    message = released(desk)
    assert desk(message).failed == ["m0"]
    assert desk(message).failed == []
    assert len(desk.table) == 6


def test_what_comes_in_one_delivery_with_its_inhibitor_is_inhibited() -> None:
    """In whatever order, and where one inhibits another that inhibits a third."""
    chain = {"source_matchers": ['alertname="host-down"'], "target_matchers": ['alertname="app-slow"']}
    desk = desk_with(RULE, chain)
    desk(*(told(desk, "firing", name, 0) for name in ("app-slow", "host-down", "az-down")))
    assert (desk.incident.members, desk.incident.title) == (3, "az-down/a")


def test_two_that_inhibit_each_other_do_not_wait_for_ever() -> None:
    one = {"source_matchers": ['alertname="a"'], "target_matchers": ['alertname="b"']}
    other = {"source_matchers": ['alertname="b"'], "target_matchers": ['alertname="a"']}
    desk = desk_with(one, other)
    assert desk(told(desk, "firing", "a", 0), told(desk, "firing", "b", 0)).counts == {"new": 2}
