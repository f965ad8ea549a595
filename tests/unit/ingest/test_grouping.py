"""Which signals become one incident, and that no order, repetition or race makes more of them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.catalog import Catalog
from incidentio.core.incident import Status
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Update
from incidentio.core.signal import Mode
from incidentio.core.timeline import first_broken_link
from tests.unit.ingest.doors import Desk, action, event, notification, signal


def grouped(**route: Any) -> Catalog:
    return Catalog.model_validate({"routing": {"route": {"receiver": "page", "group_by": ["service"], **route}}})


def fires(desk: Desk, name: str, second: float = 0, *, service: str | None = "shop", **fields: Any) -> str:
    said = {"dedup_key": name, "title": name, **({"service": service} if service else {}), **fields}
    return notification(signal("firing", desk.at(second), **said))


def ok(desk: Desk, name: str, second: float, **fields: Any) -> str:
    return notification(signal("ok", desk.at(second), dedup_key=name, title=name, service="shop", **fields))


def test_signals_of_one_service_are_one_incident_and_each_keeps_its_own_state() -> None:
    desk = Desk(grouped())
    assert desk(fires(desk, "a"), fires(desk, "b")).counts == {"new": 1, "joined": 1}
    assert desk(fires(desk, "c", 5)).counts == {"joined": 1}
    assert desk(fires(desk, "c", 5)).counts == {"duplicate": 1}
    assert desk(fires(desk, "d", service="stock")).counts == {"new": 1}
    first = desk.table.incident(desk.table.records[pointer_key("a")]["incident_id"])
    assert (first.members, first.firing, len(desk.table)) == (3, 3, 2)
    assert "grouped by service=shop" in desk.table.entries[first.id][-1].text
    desk(ok(desk, "b", 9))
    assert (desk.table.incident(first.id).firing, desk.table.records[pointer_key("b")]["state"]) == (2, "ok")
    assert desk.table.records[pointer_key("c")]["count"] == 2


def test_with_an_empty_catalogue_and_without_a_service_each_signal_is_its_own_incident() -> None:
    desk = Desk()
    desk(fires(desk, "a"), fires(desk, "b"))
    assert len(desk.table) == 2
    desk = Desk(grouped())
    desk(fires(desk, "a", service=None), fires(desk, "b", service=None))
    assert len(desk.table) == 2


def test_a_group_stays_within_service_and_kind_whatever_it_is_grouped_by() -> None:
    desk = Desk(grouped(group_by=["zone"]))
    zone = {"tags": {"zone": "a"}}
    desk(fires(desk, "a", **zone), fires(desk, "b", service="stock", **zone), fires(desk, "c", kind="drill", **zone))
    desk(fires(desk, "d", **zone))
    assert sorted(i.members for i in desk.incidents) == [1, 1, 2]
    desk(fires(desk, "e"), fires(desk, "f"))
    assert len(desk.table) == 5


def test_a_child_route_inherits_what_it_does_not_say_and_may_say_otherwise() -> None:
    routes = [{"matchers": ['service="stock"'], "receiver": "page", "group_by": []}, {"receiver": "ticket"}]
    desk = Desk(grouped(routes=routes))
    desk(*(fires(desk, f"{service}{n}", service=service) for service in ("shop", "stock") for n in range(2)))
    assert sorted(i.members for i in desk.incidents) == [1, 1, 2]


def test_a_group_takes_no_new_signals_once_its_window_is_over_and_the_next_one_does() -> None:
    desk = Desk(grouped(group_window="10m"))
    desk(fires(desk, "a"))
    desk.clock.advance(minutes=11)
    desk(fires(desk, "b", 660), fires(desk, "c", 660))
    assert [i.members for i in desk.incidents] == [1, 2]


def test_a_signal_that_comes_after_the_end_opens_the_group_anew() -> None:
    desk = Desk(grouped())
    desk(fires(desk, "a"))
    old = desk.incident.id
    desk.end(old)
    desk.clock.advance(minutes=1)
    desk(fires(desk, "b", 60), fires(desk, "c", 60))
    new = next(i for i in desk.incidents if i.id != old)
    assert (new.members, new.previous_incident_id) == (2, None)
    desk(ok(desk, "a", 61), fires(desk, "a", 62))
    assert desk.table.incident(old).status is Status.RESOLVED
    assert desk.table.incident(new.id).members == 3


def test_a_signal_that_fires_again_after_the_end_reopens_or_follows_as_without_groups() -> None:
    desk = Desk(grouped())
    desk(fires(desk, "a"), fires(desk, "b"))
    old = desk.incident.id
    desk(ok(desk, "a", 1), ok(desk, "b", 1))
    desk.end(old)
    assert desk(fires(desk, "b", 2)).counts == {"returned": 1}
    assert (desk.incident.status, desk.incident.firing, desk.incident.members) == (Status.TRIGGERED, 1, 2)
    desk(ok(desk, "b", 3))
    desk.end(old)
    desk.clock.advance(minutes=20)
    assert desk(fires(desk, "a", 1200), fires(desk, "b", 1200)).counts == {"new": 1, "joined": 1}
    assert desk.incidents[-1].previous_incident_id == old


def test_a_group_that_was_merged_goes_on_where_it_was_merged() -> None:
    desk = Desk(grouped())
    desk(fires(desk, "a"), fires(desk, "other", service="stock"))
    shop, stock = (desk.table.records[pointer_key(k)]["incident_id"] for k in ("a", "other"))
    target = desk.table.incident(stock)
    amend(desk.table, shop, lambda i: lifecycle.merge(i, into=target, actor=SYSTEM, at=desk.clock()))
    desk(fires(desk, "b"))
    assert desk.table.records[pointer_key("b")]["incident_id"] == stock


def test_what_was_split_off_does_not_come_back_to_the_incident_it_left() -> None:
    desk = Desk(grouped())
    desk(fires(desk, "a"), fires(desk, "b"))
    group = desk.incident.id
    own = "INC-SP1T00"
    desk.table.write(Update(pointer_key("b"), {"incident_id": own, "apart": group, "open": False, "state": "ok"}))
    desk.clock.advance(hours=0.5)
    desk(fires(desk, "b", 1800))
    alone = desk.table.records[pointer_key("b")]["incident_id"]
    assert alone != group
    desk(fires(desk, "c", 1801))
    assert desk.table.records[pointer_key("c")]["incident_id"] == group


def test_a_delivery_into_one_incident_is_one_commit_with_one_entry() -> None:
    desk = Desk(grouped())
    desk(fires(desk, "first"))
    desk.table.calls = 0
    desk(*(fires(desk, f"s{n}") for n in range(10)))
    assert desk.table.calls == 10 + 1 + 2  # each its fast path; then the group, the incident and one commit
    assert desk.types == ["IncidentTriggered", "SignalJoined"]
    entry = desk.table.entries[desk.incident.id][-1]
    assert entry.data["count"] == 10
    assert entry.text.startswith("10 signals fire too, grouped by service=shop: s0, s1, s2, s3, s4 and 5 more")
    desk.table.calls = 0
    desk(*(ok(desk, f"s{n}", 5) for n in range(10)))
    assert desk.table.calls == 1 + 2
    assert desk.types[2:] == ["SignalRecovered"]
    assert (desk.incident.members, desk.incident.firing) == (11, 1)


def test_triage_hears_of_the_hundred_first_signal_only_if_it_is_worse() -> None:
    desk = Desk(grouped())
    for start in range(0, 100, 10):
        desk(*(fires(desk, f"s{n}", severity="SEV3") for n in range(start, start + 10)))
    desk(fires(desk, "one-more", severity="SEV3"))
    desk(fires(desk, "worse", severity="SEV1"))
    assert desk.types[-3:] == ["SignalJoined", "SignalsGathered", "SignalJoined"]


def test_with_a_threshold_it_is_only_watched_until_enough_signals_fire() -> None:
    desk = Desk(grouped(threshold=3))
    desk(fires(desk, "a"))
    assert (desk.incident.mode, desk.incident.mode_reason[:14]) == (Mode.MONITOR, "1 of 3 signals")
    desk(fires(desk, "a", 1), fires(desk, "b", 1))
    assert (desk.incident.mode, desk.incident.mode_reason[:14]) == (Mode.MONITOR, "2 of 3 signals")
    desk(fires(desk, "c", 2))
    assert (desk.incident.mode, desk.incident.held_for) == (Mode.LIVE, 0)
    assert desk.types[-2:] == ["SignalJoined", "IncidentPromoted"]
    assert desk.table.entries[desk.incident.id][-1].text.startswith("from monitor to live: 3 of 3 signals")


@pytest.mark.parametrize("doors", [(event, action), (action, event)])
def test_a_watched_signal_counts_for_a_threshold_before_a_live_one_and_after_it(
    doors: tuple[Callable[..., str], ...],
) -> None:
    route = {"receiver": "page", "group_by": ["alertname"], "threshold": 2}
    desk = Desk(Catalog.model_validate({"routing": {"route": route}}))
    for region, door in enumerate(doors):
        desk(door("ALARM", desk.at(0)).replace("eu-west-1", f"eu-west-{region + 1}"))
    assert (desk.incident.members, desk.incident.mode) == (2, Mode.LIVE)
    assert desk.incident.mode_reason.startswith("2 of 2 signals: ")


def test_two_workers_that_open_one_group_open_one_incident() -> None:
    desk = Desk(grouped())
    desk.table.before_commit.append(lambda: desk(fires(desk, "b")))
    desk(fires(desk, "a"))
    assert (desk.incident.members, desk.incident.firing) == (2, 2)


NAMES = ("a", "b", "c", "d")


@st.composite
def stories(draw: st.DrawFn) -> tuple[dict[str, list[str]], list[list[tuple[str, int]]], list[int]]:
    """What each signal goes through; every message of it, some twice, in any order and batches; who is interrupted."""
    story = {name: draw(st.lists(st.sampled_from(["firing", "ok"]), min_size=1, max_size=3)) for name in NAMES}
    once = [(name, n) for name, states in story.items() for n in range(len(states))]
    order = draw(st.permutations(once + draw(st.lists(st.sampled_from(once), max_size=6))))
    batches, rest = [], list(order)
    while rest:
        size = draw(st.integers(1, 6))
        batches.append(rest[:size])
        rest = rest[size:]
    return story, batches, draw(st.lists(st.integers(0, len(batches)), max_size=4))


@settings(max_examples=200)
@given(stories())
def test_any_order_repetition_and_interleaving_ends_in_the_same_incident(
    case: tuple[dict[str, list[str]], list[list[tuple[str, int]]], list[int]],
) -> None:
    story, batches, interrupted = case
    desk = Desk(grouped())
    rest = list(enumerate(batches))

    def work() -> None:
        """One worker takes the next batch; another one may take the one after that before it commits."""
        if not rest:
            return
        number, batch = rest.pop(0)
        if number in interrupted:
            desk.table.before_commit.append(work)
        bodies = [
            notification(signal(story[name][n], desk.at(n + 0.25), dedup_key=name, title=name, service="shop"))
            for name, n in batch
        ]
        assert desk(*bodies).failed == []

    while rest:
        work()
    fired = {name for name in NAMES if pointer_key(name) in desk.table.records and _member_of(desk, name)}
    firing = {name for name in fired if story[name][-1] == "firing"}
    assert {name for name in NAMES if story[name][-1] == "firing"} <= fired
    for name in NAMES:
        pointer = desk.table.records[pointer_key(name)]
        assert pointer["state"] == story[name][-1]
        assert pointer["count"] + pointer["stale"] == sum(n == name for batch in batches for n, _ in batch)
    if not fired:
        assert len(desk.table) == 0
        return
    incident = desk.incident
    assert (incident.members, incident.firing) == (len(fired), len(firing))
    assert (incident.ok_since is None) == bool(firing)
    entries = desk.table.entries[incident.id]
    assert first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash) is None


def _member_of(desk: Desk, name: str) -> bool:
    return any(member_key(i.id, name) in desk.table.records for i in desk.incidents)
