"""What fires before the signal that inhibits it, or at the same moment: nobody is told of it meanwhile."""

from typing import Any

import pytest

from incidentio.core.incident import Status
from tests.unit.ingest.doors import notification, signal
from tests.unit.storm.lanes import Estate

RULE: dict[str, Any] = {
    "source_matchers": ['alertname="az"'],
    "target_matchers": ['alertname="host"'],
    "equal": ["zone"],
    "author": "ana",
    "reason": "one page a zone",
}


def fire(estate: Estate, name: str, *, zone: str = "a", state: str = "firing", **fields: Any) -> None:
    tags = {"alertname": name, "zone": zone}
    estate.fire(f"{name}/{zone}", state=state, tags=tags, **fields)


@pytest.fixture
def estate() -> Estate:
    return Estate(inhibit_rules=[RULE])


def skipped(estate: Estate, name: str) -> list[Any]:
    return [e for e in estate.table.entries[estate.of(name).id] if e.type == "NotificationSkipped"]


def test_it_repeats_no_more_while_the_other_fires_and_says_why(estate: Estate) -> None:
    fire(estate, "host")
    fire(estate, "az")
    host = estate.of("host/a")
    assert host.id != estate.of("az/a").id
    for _ in range(4):
        estate.sweep(minutes=5)
    assert len(estate.told(host)) == 1
    assert len(estate.told(estate.of("az/a"))) == 5
    (entry,) = skipped(estate, "host/a")
    rule = 'alertname="az" inhibits alertname="host" of equal zone'
    said = f"inhibited: az/a fires ({rule}): one page a zone, by ana, and told of when az/a has been ok for 5m"
    assert entry.text == f"nobody was told: {said}"
    assert (entry.data["author"], entry.data["ends"]) == ("ana", "when az/a has been ok for 5m")
    assert "until" not in entry.data


def test_it_is_told_again_when_the_other_has_been_ok_for_long_enough(estate: Estate) -> None:
    fire(estate, "host")
    fire(estate, "az")
    estate.sweep(minutes=5)
    estate.clock.advance(seconds=1)
    fire(estate, "az", state="ok")
    for _ in range(4):
        estate.sweep(minutes=1)
    assert len(estate.told(estate.of("host/a"))) == 1
    estate.sweep(minutes=2)
    assert len(estate.told(estate.of("host/a"))) == 2
    ended = [e.text for e in estate.table.entries[estate.of("host/a").id] if e.type == "QuietEnded"]
    assert ended == ["inhibition by az/a has ended: whoever should know of this is told from now on"]


def test_nobody_is_called_of_what_triage_sees_only_after_the_other_fires(estate: Estate) -> None:
    """Two workers had one signal each."""
    at = estate.clock()
    for name in ("host", "az"):
        tags = {"alertname": name, "zone": "a"}
        estate.desk(notification(signal("firing", at, dedup_key=f"{name}/a", title=name, severity="SEV2", tags=tags)))
    estate.hear()
    assert [s.attributes["incident_id"] for s in estate.topics.sent] == [estate.of("az/a").id]
    fire(estate, "host", state="ok")
    estate.sweep(minutes=5)
    assert estate.of("host/a").status is Status.MITIGATED
    assert estate.told(estate.of("host/a")) == []


@pytest.mark.parametrize("case", ["elsewhere", "drill", "monitor", "after", "group"])
def test_what_does_not_inhibit_it_does_not_silence_it(estate: Estate, case: str) -> None:
    if case == "elsewhere":
        fire(estate, "az", zone="b")
    if case == "drill":
        fire(estate, "az", kind="drill")
    if case == "monitor":
        estate = Estate(inhibit_rules=[{**RULE, "mode": "monitor"}])
        fire(estate, "az")
    if case == "after":
        fire(estate, "az")
        estate.clock.advance(seconds=1)
        fire(estate, "az", state="ok")
        estate.clock.advance(seconds=1)
    if case == "group":
        estate = Estate(inhibit_rules=[RULE], route={"receiver": "page", "group_by": ["zone"]})
        fire(estate, "host")
        fire(estate, "disk")
    fire(estate, "host")
    fire(estate, "az", zone="c")
    before = len(estate.told(estate.of("host/a")))
    estate.sweep(minutes=5)
    assert (before, len(estate.told(estate.of("host/a")))) == (1, 2)


def test_what_a_person_resolved_inhibits_nothing(estate: Estate) -> None:
    fire(estate, "host")
    fire(estate, "az")
    estate.sweep(minutes=5)
    estate.desk.end(estate.of("az/a").id)
    estate.sweep(minutes=1)
    assert len(estate.told(estate.of("host/a"))) == 2


def test_two_that_inhibit_each_other_are_not_both_silent_for_ever() -> None:
    """Two workers opened them at the same time."""
    there: dict[str, Any] = {"source_matchers": ['alertname="x"'], "target_matchers": ['alertname="y"']}
    back: dict[str, Any] = {"source_matchers": ['alertname="y"'], "target_matchers": ['alertname="x"']}
    estate = Estate(inhibit_rules=[there, back])
    tags = {name: {"alertname": name} for name in "xy"}
    other = notification(signal("firing", estate.clock(), dedup_key="y", title="y", severity="SEV1", tags=tags["y"]))
    estate.table.before_commit.append(lambda: estate.desk(other))
    estate.fire("x", tags=tags["x"], severity="SEV1")
    for _ in range(3):
        estate.sweep(minutes=1)
    assert len(estate.table) == 2
    assert len(estate.topics) >= 1
