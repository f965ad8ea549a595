"""`mode: monitor` of every rule: people hear of all as if it were not there, and the timeline says what it would do."""

from typing import Any

from incidentio.core.incident import Status
from incidentio.core.signal import Mode
from tests.unit.storm.lanes import OPENS, Estate

MONITOR = {"mode": "monitor"}
PAGED = {"receiver": "page"}


def would(estate: Estate, name: str) -> list[dict[str, str]]:
    return [e.data["would"] for e in estate.table.entries[estate.of(name).id] if e.type == "RuleMonitored"]


def test_an_inhibit_rule_says_whose_silent_member_it_would_be() -> None:
    rule = {"source_matchers": ['alertname="az"'], "target_matchers": ['alertname="host"'], **MONITOR}
    estate = Estate(route=PAGED, inhibit_rules=[rule])
    estate.fire("az", tags={"alertname": "az"})
    estate.fire("host", tags={"alertname": "host"})
    assert len(estate.topics) == len(estate.table) == 2
    (said,) = would(estate, "host")
    because = 'az fires (alertname="az" inhibits alertname="host")'
    assert said == {"inhibition": f"would be a silent member of {estate.of('az').id}: {because}"}
    assert would(estate, "az") == []


def test_of_a_live_and_a_watched_inhibit_rule_the_live_one_holds() -> None:
    rule: dict[str, Any] = {"source_matchers": ['alertname="az"'], "target_matchers": ['alertname="host"']}
    estate = Estate(route=PAGED, inhibit_rules=[{**rule, **MONITOR}, rule])
    estate.fire("az", tags={"alertname": "az"})
    estate.fire("host", tags={"alertname": "host"})
    assert len(estate.topics) == len(estate.table) == 1


def test_grouping_says_where_it_would_belong_and_how_many_it_would_take() -> None:
    estate = Estate(route={**PAGED, "group_by": ["service"], "threshold": 3, "group_mode": "monitor"})
    for n in range(3):
        estate.fire(f"a{n}", service="shop")
    assert len(estate.topics) == len(estate.table) == 3
    assert {i.mode for i in estate.table.incidents.values()} == {Mode.LIVE}
    first = estate.of("a0").id
    until = "of which nobody is told before 3 have fired"
    assert would(estate, "a0") == [{"grouping": f"would open the incident of its group (service=shop), {until}"}]
    assert would(estate, "a2") == [{"grouping": f"would be part of {first} (service=shop), {until}"}]


def test_flapping_says_once_that_it_would_be_held_open() -> None:
    estate = Estate(route=PAGED, flapping={"changes": 2, **MONITOR})
    for n in range(8):
        estate.fire("a", state="firing" if n % 2 == 0 else "ok")
        estate.clock.advance(seconds=1)
    (said,) = would(estate, "a")
    assert "would be held open: a changed its state 2 times" in said["flapping"]
    assert estate.of("a").flapping_since is None
    estate.sweep(minutes=6)
    assert estate.of("a").status is Status.MITIGATED


def test_a_storm_says_that_each_would_be_told_through_it() -> None:
    estate = Estate(route=PAGED, storm={"opens": OPENS, **MONITOR})
    for n in range(2 * OPENS):
        estate.fire(f"a{n}", service=f"s{n}")
    estate.sweep(minutes=1)
    assert len(estate.topics) == len(estate.table) == 2 * OPENS
    assert would(estate, f"a{OPENS - 2}") == []
    (said,) = would(estate, f"a{OPENS}")
    assert said["storm"].startswith(f"would be told of through a storm: about {OPENS + 1} live incidents within 5m")


def test_what_comes_back_would_be_told_through_a_storm_too() -> None:
    estate = Estate(storm={"opens": 2, **MONITOR})
    estate.fire("a")
    estate.fire("a", state="ok")
    estate.sweep(minutes=6)
    assert estate.of("a").status is Status.MITIGATED
    estate.fire("b")
    estate.fire("a")
    assert [list(said) for said in would(estate, "a")] == [["storm"]]
