"""A storm from its first signal to its end, through all lanes on fakes: what people hear of it and see."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from incidentio.communicate.pages import Channel
from incidentio.core import lifecycle, quiet
from incidentio.core.amend import amend
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from incidentio.core.events import event_of
from incidentio.core.incident import Incident, Status
from incidentio.core.members import closing
from incidentio.core.person import SYSTEM
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from incidentio.core.silence import Silence
from incidentio.core.storm import RATE, Storm
from incidentio.detect.recovery import recover
from incidentio.detect.storm import watch_storm
from tests.fakes import FakeClock, FakeTable
from tests.make import ALICE
from tests.unit.ingest.doors import action, arn, event, notification, signal
from tests.unit.storm.lanes import OPENS, Estate


@pytest.fixture
def stormy() -> Estate:
    """Just over the rate: one incident by itself each, then the parent and its first child."""
    estate = Estate()
    for n in range(OPENS - 1):
        estate.fire(f"early-{n}")
    estate.fire("late-0", service="shop")
    return estate


def test_below_the_rate_everything_is_told_by_itself() -> None:
    estate = Estate()
    for n in range(OPENS - 1):
        estate.fire(f"a{n}")
    estate.clock.advance(minutes=11)
    for n in range(OPENS - 1):
        estate.fire(f"b{n}")
    assert len(estate.topics) == len(estate.table) == 2 * (OPENS - 1)
    assert not any(i.parent for i in estate.table.incidents.values())


def test_above_the_rate_one_parent_opens_and_is_told_instead_of_its_children(stormy: Estate) -> None:
    stormy.fire("late-1", service="shop")
    stormy.fire("late-2", service="stock")
    stormy.fire("late-3", "late-4")
    parent, shop, stock = stormy.parent, stormy.of("late-0"), stormy.of("late-2")
    assert parent.title == f"Storm: {OPENS} incidents in 5m"
    assert stormy.table.types(parent.id)[:2] == ["IncidentTriggered", "StormBegan"]
    assert (shop.service, shop.members, shop.parent) == ("shop", 2, parent.id)
    assert (stock.service, stock.members, stock.parent) == ("stock", 1, parent.id)
    assert stormy.of("late-3").id == stormy.of("late-4").id == parent.id
    assert parent.members == 3  # and the storm itself
    assert stormy.told(shop) == stormy.told(stock) == []
    assert len(stormy.told(parent)) == 1
    skipped = next(e for e in stormy.table.entries[shop.id] if e.type == "NotificationSkipped")
    assert f"part of the storm {parent.id}" in skipped.text
    assert len(stormy.topics) == OPENS - 1 + 1


@pytest.mark.parametrize(
    ("given", "author", "comment"),
    [
        ({}, "routing.yaml", f"storm: {OPENS} live incidents within 5m"),
        ({"author": "ana", "reason": "one page for all"}, "ana", "one page for all"),
    ],
)
def test_every_entry_of_a_storm_says_whose_rule_it_is_and_when_it_ends(
    given: dict[str, str], author: str, comment: str
) -> None:
    estate = Estate(storm={"opens": OPENS, "within": "5m", "quiet_for": "10m", **given})
    for n in range(OPENS - 1):
        estate.fire(f"early-{n}")
    estate.fire("late-0", service="shop")
    estate.sweep(minutes=1)
    told = {
        "rules": [f"storm: {OPENS} live incidents within 5m"],
        "author": author,
        "comment": comment,
        "ends": f"when it has been below {OPENS} live incidents within 5m for 10m",
    }
    for incident, type in (
        (estate.parent, "StormBegan"),
        (estate.of("late-0"), "NotificationSkipped"),
        (estate.of("early-0"), "StormJoined"),
    ):
        entry = next(e for e in estate.table.entries[incident.id] if e.type == type)
        assert {name: entry.data.get(name) for name in told} == told, type
        assert ("(ana, one page for all)" in entry.text) is bool(given and type != "StormJoined"), type


def test_a_storm_that_a_deployment_switched_off_still_holds_back_by_name(stormy: Estate) -> None:
    switched_off = {"routing": {"storm": None}}
    stormy.teller = replace(stormy.teller, bundle=Bundle(catalog=Catalog.model_validate(switched_off)))
    stormy.fire("late-1", service="stock")
    skipped = next(e for e in stormy.table.entries[stormy.of("late-1").id] if e.type == "NotificationSkipped")
    assert (skipped.data["author"], skipped.data["ends"]) == ("routing.yaml", "when the storm is over")
    assert skipped.data["comment"] == f"it is part of the storm {stormy.parent.id}, which is told instead"


def test_a_hundred_more_services_are_no_more_pages(stormy: Estate) -> None:
    for n in range(100):
        stormy.fire(f"alarm-{n}", service=f"service-{n % 50}")
    children = [i for i in stormy.table.incidents.values() if i.parent and i.service != "shop"]
    assert (len(children), {i.members for i in children}) == (50, {2})
    assert len(stormy.topics) == OPENS - 1 + 1


def test_what_goes_live_in_a_storm_is_a_child_of_it(stormy: Estate) -> None:
    at = stormy.desk.at(0)
    stormy.desk(event("ALARM", at))
    stormy.desk(action("ALARM", at))
    stormy.hear()
    child = stormy.of(arn("checkout-errors"))
    assert (child.mode, child.parent) == (Mode.LIVE, stormy.parent.id)
    assert [key.sk for key, _ in stormy.table.query(f"INC#{stormy.parent.id}", f"CHILD#{child.id}")]
    assert stormy.told(child) == []


def test_what_opened_before_it_was_a_storm_repeats_no_more(stormy: Estate) -> None:
    stormy.sweep(minutes=1)
    early = [stormy.of(f"early-{n}") for n in range(OPENS - 1)]
    assert {i.parent for i in early} == {stormy.parent.id}
    assert stormy.table.types(early[0].id)[-1] == "StormJoined"
    stormy.sweep(minutes=5)
    assert [len(stormy.told(i)) for i in early] == [1] * len(early)
    assert len(stormy.told(stormy.parent)) == 2


def test_a_worse_child_raises_the_parent_which_is_told_once_more(stormy: Estate) -> None:
    stormy.fire("worse", service="orders", severity="SEV1")
    assert stormy.parent.severity is Severity.SEV1
    assert [s.attributes["severity"] for s in stormy.told(stormy.parent)] == ["SEV2", "SEV1"]
    assert stormy.told(stormy.of("worse")) == []


def test_a_child_worse_than_what_a_person_made_of_the_storm_is_told_by_itself(stormy: Estate) -> None:
    amend(
        stormy.table,
        stormy.parent.id,
        lambda i: lifecycle.change_severity(i, Severity.SEV4, actor=ALICE, at=stormy.clock(), why="it is a test"),
    )
    stormy.fire("worse", service="orders", severity="SEV1")
    assert stormy.parent.severity is Severity.SEV4
    assert len(stormy.told(stormy.of("worse"))) == 1


def test_it_ends_when_it_was_quiet_and_tells_once_what_nobody_has(stormy: Estate) -> None:
    stormy.sweep(minutes=1)
    stormy.fire("late-1", service="stock")
    stormy.sweep(minutes=9)
    assert "StormEnded" not in stormy.table.types(stormy.parent.id)
    stormy.sweep(minutes=7)
    ended = next(e for e in stormy.table.entries[stormy.parent.id] if e.type == "StormEnded")
    assert ended.data["waiting_count"] == OPENS + 1
    notice = [s for s in stormy.told(stormy.parent) if s.attributes["event"] == "StormEnded"]
    assert len(notice) == 1
    assert stormy.of("late-1").id in notice[0].body
    before = len(stormy.topics)
    stormy.fire("after", service="shop2")
    assert stormy.of("after").parent is None
    assert len(stormy.topics) == before + 1


def test_the_parent_is_repeated_until_somebody_has_what_the_storm_left(stormy: Estate) -> None:
    stormy.sweep(minutes=1)
    stormy.sweep(minutes=20)
    assert "StormEnded" in stormy.table.types(stormy.parent.id)
    before = len(stormy.told(stormy.parent))
    for _ in range(4):
        stormy.sweep(minutes=5)
    assert (stormy.parent.status, stormy.parent.firing) == (Status.TRIGGERED, 0)
    assert len(stormy.told(stormy.parent)) == before + 4
    for name in ("late-0", *(f"early-{n}" for n in range(OPENS - 1))):
        amend(stormy.table, stormy.of(name).id, lambda i: lifecycle.acknowledge(i, actor=ALICE, at=stormy.clock()))
    stormy.sweep(minutes=1)
    assert stormy.parent.status is Status.MITIGATED


def test_what_a_silence_hid_until_after_the_storm_is_told_through_the_parent_when_it_ends() -> None:
    estate = Estate()
    at = estate.clock()
    made = {"id": "SIL-000001", "matchers": ('severity=~"SEV.*"',), "author": "alice", "comment": "load test"}
    made |= {"starts_at": at, "ends_at": at + timedelta(hours=1), "created_at": at}
    quiet.add(estate.table, Silence.model_validate(made))
    for n in range(OPENS + 1):
        estate.fire(f"a{n}", service=f"s{n}")
    estate.sweep(minutes=1)
    estate.sweep(minutes=20)
    assert "StormEnded" in estate.table.types(estate.parent.id)
    assert len(estate.topics) == 0
    estate.sweep(minutes=40)
    assert len(estate.told(estate.parent)) == 1


def test_what_is_left_is_told_even_if_the_storm_was_over_before_anybody_was_told_of_it() -> None:
    estate = Estate()
    for n in range(OPENS + 1):
        estate.desk(notification(signal("firing", estate.clock(), dedup_key=f"a{n}", title=f"a{n}", service=f"s{n}")))
    estate.clock.advance(minutes=20)  # triage and communicate stand still
    assert watch_storm(estate.table, estate.bundle.catalog.routing, estate.clock()) == 1
    recover(estate.table, estate.bundle.catalog.routing, estate.clock.advance(minutes=6))
    parent = estate.parent
    assert parent.status is Status.TRIGGERED
    ended = next(entry for entry in estate.table.entries[parent.id] if entry.type == "StormEnded")
    estate.teller.told(event_of(ended))
    (told,) = estate.told(parent)
    assert told.attributes["event"] == "StormEnded"
    assert estate.of(f"a{OPENS}").id in told.body
    estate.hear()
    assert [s.attributes["event"] for s in estate.told(parent)] == ["StormEnded", "IncidentTriaged"]


def test_whoever_has_the_storm_has_its_children(stormy: Estate) -> None:
    amend(stormy.table, stormy.parent.id, lambda i: lifecycle.acknowledge(i, actor=ALICE, at=stormy.clock()))
    before = len(stormy.topics)
    stormy.sweep(minutes=1)
    stormy.sweep(minutes=20)
    assert "StormEnded" in stormy.table.types(stormy.parent.id)
    assert len(stormy.topics) == before


def test_the_parent_recovers_only_after_the_storm(stormy: Estate) -> None:
    stormy.fire("homeless")
    stormy.fire("homeless", state="ok")
    stormy.sweep(minutes=6)
    assert (stormy.parent.status, stormy.parent.firing) == (Status.TRIGGERED, 1)
    stormy.sweep(minutes=6)
    assert (stormy.parent.firing, stormy.parent.ok_since) == (0, stormy.clock())
    for name in ("late-0", *(f"early-{n}" for n in range(OPENS - 1))):
        stormy.fire(name, state="ok")
    stormy.sweep(minutes=6)
    assert stormy.parent.status is Status.TRIGGERED  # looked at before its children, which recover in the same sweep
    stormy.sweep(minutes=1)
    assert stormy.parent.status is Status.MITIGATED


def test_a_storm_whose_parent_somebody_resolved_is_over_until_the_next_one(stormy: Estate) -> None:
    def decide(current: Incident) -> Any:
        change = lifecycle.resolve(current, actor=SYSTEM, at=stormy.clock())
        return change, closing(stormy.table, change.incident)

    first = stormy.parent.id
    amend(stormy.table, first, decide)
    stormy.fire("next", service="orders")
    second = stormy.of("next").parent
    assert second
    assert second != first


def test_a_child_whose_impact_comes_back_after_the_storm_is_told_by_itself(stormy: Estate) -> None:
    child = stormy.of("late-0")
    stormy.sweep(minutes=12)
    amend(stormy.table, child.id, lambda i: lifecycle.resolve(i, actor=ALICE, at=stormy.clock()))
    at = stormy.clock()
    amend(stormy.table, child.id, lambda i: lifecycle.reopen(i, actor=ALICE, at=at, window=timedelta(hours=1)))
    stormy.hear()
    assert len([s for s in stormy.told(child) if s.attributes["event"] == "IncidentReopened"]) == 1
    assert stormy.table.incident(child.id).parent is None


def test_groups_that_reach_their_threshold_are_a_storm_as_well() -> None:
    estate = Estate(route={"receiver": "page", "group_by": ["service", "host"], "threshold": 2})
    for n in range(30):
        for _ in ("one", "another"):
            estate.fire(f"{_}-{n}", service=f"s{n}", tags={"host": f"h{n}"})
    children = [i for i in estate.table.incidents.values() if i.parent]
    assert len(children) == 30 - (OPENS - 1)
    assert len(estate.topics) == OPENS - 1 + 1
    assert "StormJoined" in estate.table.types(children[0].id)


def test_impact_that_is_back_everywhere_at_once_is_told_through_a_storm() -> None:
    estate = Estate()
    for n in range(30):
        estate.fire(f"a{n}", service=f"s{n}")
        estate.clock.advance(minutes=5)  # never a storm
    estate.fire(*(f"a{n}" for n in range(30)), state="ok")
    for _ in range(2):
        estate.sweep(minutes=6)
    assert {i.status for i in estate.table.incidents.values()} == {Status.MITIGATED}
    before = len(estate.topics)
    for n in range(30):
        estate.fire(f"a{n}", service=f"s{n}")
    assert {estate.of(f"a{n}").parent for n in range(OPENS - 1, 30)} == {estate.parent.id}
    assert len(estate.topics) == before + OPENS - 1 + 1


def test_incidents_that_reopen_all_at_once_are_told_through_a_storm() -> None:
    estate = Estate(route={"receiver": "page"}, reopen_window="10h")
    for n in range(30):
        estate.fire(f"a{n}", service=f"s{n}", severity="SEV3")
        estate.clock.advance(minutes=5)
    estate.fire(*(f"a{n}" for n in range(30)), state="ok")
    for _ in range(2):
        estate.sweep(minutes=6)
    assert {i.status for i in estate.table.incidents.values()} == {Status.RESOLVED}
    before = len(estate.topics)
    for n in range(30):
        estate.fire(f"a{n}", service=f"s{n}", severity="SEV3")
    assert len(estate.table) == 31
    assert len(estate.topics) == before + OPENS - 1 + 1


def test_what_is_only_watched_does_not_hide_what_a_storm_began_with() -> None:
    estate = Estate()
    for n in range(OPENS - 1):
        estate.fire(f"early-{n}")
    estate.desk(*(event("ALARM", estate.clock(), alarm=f"watched-{n}") for n in range(200)))
    estate.fire("late")
    estate.sweep(minutes=1)
    assert {estate.of(f"early-{n}").parent for n in range(OPENS - 1)} == {estate.parent.id}


def test_a_signal_that_gets_worse_is_told_as_what_it_is_now() -> None:
    estate = Estate()
    estate.fire("disk", service="shop", severity="warning")
    assert [sent.channel for sent in estate.topics.sent] == [Channel.TICKET]
    estate.fire("disk", service="shop", severity="critical")
    (_, page) = estate.topics.sent
    assert (page.channel, page.attributes["severity"]) == (Channel.PAGE, "SEV1")
    estate.fire("disk", service="shop", severity="warning")
    assert len(estate.topics.sent) == 2


def test_a_route_and_a_silence_see_what_the_sender_says_of_a_signal() -> None:
    estate = Estate(route={"receiver": "ticket", "routes": [{"matchers": ['team="db"'], "receiver": "page"}]})
    estate.fire("a", tags={"team": "db"}, severity="SEV3")
    assert [sent.channel for sent in estate.topics.sent] == [Channel.PAGE]
    at = estate.clock()
    made = {"id": "SIL-000001", "matchers": ('cluster="eu"',), "author": "alice", "comment": "load test"}
    made |= {"starts_at": at, "ends_at": at + timedelta(hours=1), "created_at": at}
    quiet.add(estate.table, Silence.model_validate(made))
    estate.fire("b", tags={"team": "db", "cluster": "eu"})
    assert len(estate.topics.sent) == 1


def test_a_silence_of_one_host_holds_back_nothing_of_its_group() -> None:
    estate = Estate(route={"receiver": "page", "group_by": ["cluster"]})
    at = estate.clock()
    made = {"id": "SIL-000001", "matchers": ('host="web-1"',), "author": "alice", "comment": "load test"}
    made |= {"starts_at": at, "ends_at": at + timedelta(hours=1), "created_at": at}
    quiet.add(estate.table, Silence.model_validate(made))
    estate.fire("web-1", tags={"host": "web-1", "cluster": "c"})
    assert (estate.of("web-1").labels, len(estate.topics)) == ({"host": "web-1", "cluster": "c"}, 0)
    estate.fire("web-2", tags={"host": "web-2", "cluster": "c"})
    assert (estate.of("web-2").labels, len(estate.topics)) == ({"cluster": "c"}, 1)


def test_two_workers_begin_one_storm() -> None:
    estate = Estate()
    for n in range(OPENS - 1):
        estate.fire(f"early-{n}")
    message = notification(signal("firing", estate.clock(), dedup_key="x", title="x", service="x"))
    estate.table.before_commit.append(lambda: estate.desk(message))
    estate.fire("y", service="y")
    assert estate.of("x").parent == estate.of("y").parent == estate.parent.id


def test_drills_and_watched_alarms_make_no_storm() -> None:
    estate = Estate()
    estate.fire(*(f"drill-{n}" for n in range(3 * OPENS)), kind="drill")
    assert RATE not in estate.table.records


def test_switched_off_there_is_no_storm() -> None:
    estate = Estate(storm=None)
    estate.fire(*(f"a{n}" for n in range(3 * OPENS)))
    assert len(estate.topics) == 3 * OPENS


def counted(table: FakeTable, storm: Storm) -> Callable[[int], float]:
    clock = FakeClock()

    def count_at(second: int) -> float:
        now = clock.now + timedelta(seconds=second)
        return storm.rate(storm.counted(table, 1, now), now)

    return count_at


def test_the_rate_looks_back_over_the_last_window() -> None:
    storm, table = Storm(within=timedelta(minutes=5)), FakeTable()
    at = counted(table, storm)
    assert [at(0), at(60), at(299)] == [1, 2, 3]
    assert at(300) == pytest.approx(4)
    assert at(450) == pytest.approx(2 + 3 / 2)
    assert at(5000) == 1
    assert at(4000) == 2  # a clock that is late counts as well
    assert storm.rate(table.records[RATE], FakeClock().now + timedelta(hours=9)) == 0


@pytest.mark.parametrize(("before", "after"), [(1, 5), (5, 1), (5, 60)])
def test_another_length_of_the_window_begins_anew(before: int, after: int) -> None:
    storms, table = [Storm(within=timedelta(minutes=m)) for m in (before, after)], FakeTable()
    old, new = (counted(table, storm) for storm in storms)
    assert old(10) == 1
    later = 2 * 3600
    assert storms[1].rate(table.records[RATE], FakeClock().now + timedelta(seconds=later)) == 0
    assert new(later) == 1


@pytest.mark.parametrize("taken", [True, False])
def test_a_child_that_gets_worse_after_the_storm_is_told_by_itself(stormy: Estate, taken: bool) -> None:
    stormy.sweep(minutes=1)
    for name in ("late-0", *(f"early-{n}" for n in range(OPENS - 1))) if taken else ():
        amend(stormy.table, stormy.of(name).id, lambda i: lifecycle.acknowledge(i, actor=ALICE, at=stormy.clock()))
    stormy.sweep(minutes=12)
    stormy.sweep(minutes=6)
    assert stormy.parent.status is (Status.MITIGATED if taken else Status.TRIGGERED)
    child, at = stormy.of("late-0"), stormy.clock()
    worse = lifecycle.change_severity(child, Severity.SEV1, actor=ALICE, at=at, why="no orders at all")
    assert worse
    stormy.table.commit(worse)
    stormy.hear()
    assert [s.attributes["severity"] for s in stormy.told(child)] == ["SEV1"]
    assert stormy.parent.severity is Severity.SEV2
