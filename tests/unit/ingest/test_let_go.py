"""What was inhibited is neither lost nor counted twice, whatever becomes of its inhibitor, and whoever is faster."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from incidentio.api import grouping
from incidentio.api.calls import Api, Call
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.events import SOURCE
from incidentio.core.members import members_of, pointer_key
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from incidentio.detect.recovery import recover
from incidentio.ingest.batch import Batch
from incidentio.ingest.intake import Intake
from tests.make import ALICE
from tests.unit.ingest.doors import Desk, action, event, notification, signal
from tests.unit.ingest.test_inhibition import RULE, desk_with, incident_of, told

BY_NAME = {"source_matchers": ['alertname="az-down"'], "target_matchers": ['alertname="host-down"']}


def later(desk: Desk, *, minutes: float = 6) -> None:
    """The sweep, and what the bus then brings to ingest, until nothing is left."""
    desk.clock.advance(minutes=minutes)
    recover(desk.table, desk.table.routing, desk.clock())
    deliver(desk)


def deliver(desk: Desk) -> None:
    """Every release that was ever told of, once more: the bus may repeat."""
    for incident_id, entries in list(desk.table.entries.items()):
        if any(entry.type == "InhibitionEnded" for entry in entries):
            detail = {"incident_id": incident_id}
            desk(json.dumps({"source": SOURCE, "detail-type": "InhibitionEnded", "detail": detail}))


def counted_right(desk: Desk) -> bool:
    """Whether every open incident counts the members it has, and those that fire."""
    for incident in desk.incidents:
        members = members_of(desk.table, incident.id)
        pointers = [desk.table.records[pointer_key(m["dedup_key"])] for m in members]
        firing = sum(p["state"] == "firing" and p["incident_id"] == incident.id for p in pointers)
        if incident.is_open and (incident.members, incident.firing) != (len(members), firing):
            return False
    return True


class Died(Exception):
    pass


def test_two_workers_that_let_one_signal_go_count_it_once_though_one_died() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5), told(desk, "firing", "host-slow", 5))
    desk(told(desk, "ok", "az-down", 8))
    commit = desk.table.commit

    def dies_before_it_opens(change: Any, *writes: Any) -> None:
        if not change.expected_seq:
            raise Died
        commit(change, *writes)

    def another_worker() -> None:
        desk.table.commit = dies_before_it_opens  # type: ignore[method-assign]
        desk(told(desk, "firing", "host-down", 5))
        desk.table.commit = commit  # type: ignore[method-assign]

    desk.table.before_commit.append(another_worker)
    desk(told(desk, "firing", "host-down", 5))
    assert counted_right(desk)
    assert incident_of(desk, "host-down").id != incident_of(desk, "az-down").id


def test_what_recovers_while_another_joins_it_silently_does_not_keep_it() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk.table.before_commit.append(lambda: desk(told(desk, "ok", "az-down", 6)))
    desk(told(desk, "firing", "host-down", 5))
    assert incident_of(desk, "host-down").id != incident_of(desk, "az-down").id
    assert counted_right(desk)


def test_an_incident_that_reopens_still_lets_go_what_it_inhibits() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    source = desk.incident.id
    desk.end(source)
    desk.clock.advance(minutes=1)
    desk(told(desk, "ok", "az-down", 50), told(desk, "firing", "az-down", 55))
    assert desk.table.incident(source).is_open
    desk(told(desk, "ok", "az-down", 58))
    later(desk)
    assert incident_of(desk, "host-down").id != source


def test_in_a_chain_the_middle_one_lets_go_though_it_was_inhibited_itself() -> None:
    first = {"source_matchers": ['alertname="region-down"'], "target_matchers": ['alertname="az-down"']}
    desk = desk_with(first, RULE)
    for second, name in enumerate(("region-down", "az-down", "host-down")):
        desk(told(desk, "firing", name, second))
    desk(told(desk, "ok", "az-down", 20))
    later(desk)
    assert incident_of(desk, "host-down").id != incident_of(desk, "region-down").id


def test_what_inhibits_and_is_split_off_takes_what_it_inhibits_with_it() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    call = Call(ALICE, desk.clock(), expected_version=None, key=None)
    api = cast("Api", SimpleNamespace(table=desk.table))
    part = grouping.split(api, call, desk.incident.id, dedup_key="az-down/a", note="")
    later(desk, minutes=0)
    assert incident_of(desk, "az-down").id == incident_of(desk, "host-down").id == part.id
    assert counted_right(desk)


@pytest.mark.parametrize("first", ["ok", "firing"])
def test_when_a_person_ends_the_incident_what_it_inhibited_is_told_of_by_itself(first: str) -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    source = desk.incident.id
    if first == "ok":
        desk(told(desk, "ok", "az-down", 10))
    desk.end(source)
    deliver(desk)
    deliver(desk)
    own = incident_of(desk, "host-down")
    assert (own.previous_incident_id, own.firing, len(desk.table)) == (source, 1, 2)
    assert not desk.table.incident(source).is_open


def test_a_repetition_of_what_was_inhibited_does_not_reopen_what_a_person_resolved() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    source = desk.incident.id
    desk.end(source)
    desk(told(desk, "firing", "host-down", 5))
    assert not desk.table.incident(source).is_open
    assert incident_of(desk, "host-down").id != source


def test_what_goes_on_being_inhibited_does_not_keep_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidentio.ingest.released.AT_ONCE", 5)
    rack = {**BY_NAME, "source_matchers": ['alertname="rack-down"'], "equal": ["rack"]}
    grouped = {"matchers": ['alertname!="host-down"'], "receiver": "page", "group_by": ["site"]}
    site = {"receiver": "page", "routes": [grouped]}
    desk = desk_with(rack, RULE, route=site)

    def fires(key: str, name: str, **tags: str) -> str:
        return notification(signal("firing", desk.at(0), dedup_key=key, title=key, tags={"alertname": name, **tags}))

    desk(fires("az", "az-down", zone="a", site="x"), fires("rack", "rack-down", rack="r", site="x"))
    desk(*(fires(f"held-{n}", "host-down", zone="a", rack="r") for n in range(10)))
    desk(*(fires(f"free-{n}", "host-down", zone="a") for n in range(8)))
    (source,) = desk.incidents
    desk(notification(signal("ok", desk.at(5), dedup_key="az", title="az", tags={"alertname": "az-down", "zone": "a"})))
    later(desk)
    deliver(desk)
    held = {n for n in (*(f"held-{n}" for n in range(10)), *(f"free-{n}" for n in range(8)))
            if desk.table.records[pointer_key(n)]["incident_id"] == source.id}  # fmt: skip
    assert held == {f"held-{n}" for n in range(10)}
    assert counted_right(desk)


def test_many_that_are_let_go_together_into_one_group_are_several_commits() -> None:
    route = {"receiver": "page", "group_by": ["zone"]}
    desk = desk_with(BY_NAME, route=route)
    desk(told(desk, "firing", "az-down", 0, zone="all"))
    source = desk.incident.id
    desk(*(told(desk, "firing", "host-down", 5, zone=f"z{n}") for n in range(60)))
    # The next deployment is without the rule, and groups them all.
    catalog = Catalog.model_validate({"routing": {"route": {"receiver": "page", "group_by": ["alertname"]}}})
    intake = Intake(desk.table, catalog, desk.clock)
    desk.batch = Batch(intake, desk.dead_letters, Attachment(own_prefix="incidentio", catalog=catalog), desk.clock)
    desk(told(desk, "ok", "az-down", 8, zone="all"))
    later(desk)
    groups = {incident_of(desk, "host-down", f"z{n}").id for n in range(60)}
    assert len(groups) == 1
    assert source not in groups
    assert counted_right(desk)


def test_of_two_doors_the_one_that_was_attached_counts_when_it_is_let_go() -> None:
    desk = desk_with(BY_NAME)
    desk(action("ALARM", desk.at(0), alarm="az-down"))
    for door in (event, action, event):
        desk(door("ALARM", desk.at(1), alarm="host-down"))
    desk(action("OK", desk.at(2), alarm="az-down"))
    later(desk)
    assert desk.table.incident(desk.pointer("host-down")["incident_id"]).mode is Mode.LIVE


BY_SEVERITY = {"source_matchers": ['severity="SEV1"'], "target_matchers": ['severity="SEV4"'], "equal": ["zone"]}


def gets_worse(desk: Desk) -> None:
    desk(told(desk, "firing", "x", 0, severity="SEV2"))
    desk(told(desk, "firing", "x", 1, severity="SEV1"))


def gets_better(desk: Desk) -> None:
    desk(told(desk, "firing", "x", 0, severity="SEV1"))
    desk(told(desk, "ok", "x", 1), told(desk, "firing", "x", 2, severity="SEV2"))


@pytest.mark.parametrize(("happens", "incidents"), [(gets_worse, 1), (gets_better, 2)])
def test_what_a_rule_names_by_its_severity_inhibits_while_it_has_that(
    happens: Callable[[Desk], None], incidents: int
) -> None:
    desk = desk_with(BY_SEVERITY)
    happens(desk)
    desk(told(desk, "firing", "y", 5, severity="SEV4"))
    assert len(desk.table) == incidents


def test_what_was_let_go_is_inhibited_again_when_both_fire_anew() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0, severity="SEV1"))
    desk(told(desk, "firing", "host-down", 5))
    source = desk.incident.id
    desk(told(desk, "ok", "az-down", 10))
    later(desk)
    own = incident_of(desk, "host-down")
    assert own.severity is Severity.SEV2
    desk(told(desk, "ok", "host-down", 400))
    desk.end(own.id)
    desk.clock.advance(hours=3)
    desk(told(desk, "firing", "az-down", 10000), told(desk, "firing", "host-down", 10005))
    assert incident_of(desk, "host-down").id == source


@pytest.mark.parametrize("ended", [True, False])
def test_a_watched_repetition_of_a_live_one_that_nobody_heard_of_opens_a_live_incident(*, ended: bool) -> None:
    desk = desk_with(BY_NAME)
    desk(action("ALARM", desk.at(0), alarm="az-down"))
    desk(action("ALARM", desk.at(1), alarm="host-down"))
    desk.end(desk.incident.id) if ended else desk(action("OK", desk.at(2), alarm="az-down"))
    desk(event("ALARM", desk.at(1), alarm="host-down"))
    own = desk.table.incident(desk.pointer("host-down")["incident_id"])
    assert (own.mode, len(desk.table)) == (Mode.LIVE, 2)


def test_those_that_recover_one_after_the_other_do_not_put_off_the_rest() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(*(told(desk, "firing", f"host-{n}", 5) for n in range(3)))
    desk(told(desk, "ok", "az-down", 8))
    due = desk.incident.released_at
    desk.clock.advance(minutes=4)
    desk(told(desk, "ok", "host-1", 240))
    assert desk.incident.released_at == due
    later(desk, minutes=1)
    assert incident_of(desk, "host-0").id != incident_of(desk, "az-down").id


def drops_out(desk: Desk) -> None:
    desk(told(desk, "ok", "x", 6), told(desk, "firing", "x", 7, severity="SEV2"))


def rises_out(desk: Desk) -> None:
    desk(told(desk, "firing", "x", 7, severity="SEV1"))


@pytest.mark.parametrize(("named", "happens"), [("SEV1", drops_out), ("SEV2", rises_out)])
def test_what_leaves_its_rule_by_its_severity_lets_go_without_another_word(
    named: str, happens: Callable[[Desk], None]
) -> None:
    desk = desk_with({**BY_SEVERITY, "source_matchers": [f'severity="{named}"']})
    desk(told(desk, "firing", "x", 0, severity=named))
    desk(told(desk, "firing", "y", 5, severity="SEV4"))
    assert len(desk.table) == 1
    happens(desk)
    later(desk)
    assert incident_of(desk, "y").id != incident_of(desk, "x").id
    assert counted_right(desk)


def test_what_gets_worse_in_the_same_delivery_inhibits_what_comes_with_it() -> None:
    desk = desk_with(BY_SEVERITY)
    desk(told(desk, "firing", "x", 0, severity="SEV2"))
    desk(told(desk, "firing", "y", 1, severity="SEV4"), told(desk, "firing", "x", 1, severity="SEV1"))
    assert len(desk.table) == 1


def test_the_worst_that_was_said_while_nobody_heard_it_counts_though_a_milder_repetition_leaves() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5, severity="SEV1"))
    desk(told(desk, "ok", "az-down", 10))
    desk(told(desk, "firing", "host-down", 20, severity="SEV3"))
    assert incident_of(desk, "host-down").id != incident_of(desk, "az-down").id
    assert incident_of(desk, "host-down").severity is Severity.SEV1


def test_what_was_overtaken_before_it_was_let_go_is_of_the_same_firing() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 10, severity="SEV3"))
    desk(told(desk, "ok", "az-down", 20))
    later(desk)
    assert desk(told(desk, "firing", "host-down", 5, severity="SEV1")).counts == {"worsened": 1}
    assert counted_right(desk)


def test_two_doors_of_two_workers_leave_no_member_behind_where_only_the_watched_one_may_be_silent() -> None:
    desk = desk_with(BY_NAME)
    desk(event("ALARM", desk.at(0), alarm="az-down"))
    desk.table.before_commit.append(lambda: desk(event("ALARM", desk.at(1), alarm="host-down")))
    desk(action("ALARM", desk.at(1), alarm="host-down"))
    own = desk.table.incident(desk.pointer("host-down")["incident_id"])
    assert (own.mode, len(desk.table)) == (Mode.LIVE, 2)
    assert counted_right(desk)
