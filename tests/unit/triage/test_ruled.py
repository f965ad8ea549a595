"""What the team's rules change of an incident, and what they never change."""

from typing import Any

import pytest

from incidentio.core.incident import Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.severity import Severity
from tests.unit.triage.conftest import CATALOG, ID, Room, bundle_of

NIGHT = {"days": ["sun"], "from": "11:00", "to": "13:00"}  # the room's clock says Sunday, noon


def with_rules(*rules: dict[str, Any]) -> Any:
    return bundle_of({**CATALOG, "routing": {"rules": list(rules)}})


def rule(*matchers: str, during: dict[str, Any] | None = None, **sets: Any) -> dict[str, Any]:
    return {"name": "night", "matchers": list(matchers), "set": sets, **({"during": during} if during else {})}


def changed(room: Room, **updates: Any) -> Incident:
    room.table.commit(
        recorded(room.table.incident(ID), "IncidentUpdated", actor=SYSTEM, at=room.clock(), text="x", **updates)
    )
    return room.table.incident(ID)


def test_every_decision_of_a_rule_is_in_the_entry_with_its_name(room: Room) -> None:
    room.bundle = with_rules(
        rule('service="checkout"', during=NIGHT, severity="SEV4", receiver="page", labels={"team": "pay"},
             responders=["ana"]),
    )  # fmt: skip
    room.open()
    incident = room.triage()
    assert (incident.severity, incident.receiver, incident.labels) == (Severity.SEV4, "page", {"team": "pay"})
    assert incident.responders == ("ana",)
    assert room.last["severity_why"] == "rule night"
    assert room.last["rules"] == {
        "severity": "night", "receiver": "night", "labels.team": "night", "responders.ana": "night",
    }  # fmt: skip
    assert "sent as page: rule night" in room.table.entries[ID][-1].text
    assert room.triage() == incident


@pytest.mark.parametrize(("users", "receiver"), [(500, "page"), (501, None)])
def test_a_rule_looks_at_who_is_hit_by_way_of_what_depends_on_it(room: Room, users: int, receiver: str | None) -> None:
    services = {
        **CATALOG["services"],
        "checkout": {**CATALOG["services"]["checkout"], "impact": {"users": 20}},
        "shop": {"depends_on": ["checkout"], "impact": {"users": 500}},
    }
    big = {"name": "big", "impact": {"users": users}, "set": {"receiver": "page"}}
    room.bundle = bundle_of({**CATALOG, "services": services, "routing": {"rules": [big]}})
    room.open()
    assert room.triage().receiver == receiver


@pytest.mark.parametrize(
    "decided",
    [
        rule('service="checkout"', service="web", environment="dev", severity="SEV5"),
        rule('severity="SEV1"', severity="SEV4", receiver="ticket"),
        rule('severity="SEV1"', 'environment="production"', environment="staging", service="orders-db"),
    ],
)
def test_a_rule_that_changes_what_it_matched_on_decides_once(room: Room, decided: dict[str, Any]) -> None:
    room.bundle = with_rules(decided)
    room.open(tags={"severity": "SEV1"})
    incident = room.triage()
    assert incident.ruled
    assert room.triage() == incident


def test_a_rule_lowers_what_tags_say_but_not_after_people_were_told(room: Room) -> None:
    room.bundle = with_rules(rule(severity="SEV4"))
    room.open(tags={"severity": "SEV1"})
    assert room.triage().severity is Severity.SEV4
    changed(room, severity=Severity.SEV1, pages=1)
    assert room.triage().severity is Severity.SEV1


def test_what_a_person_said_stands(room: Room) -> None:
    room.bundle = with_rules(rule(severity="SEV1", service="web", environment="dev"))
    room.open(severity=Severity.SEV3, severity_set=True, service="checkout", given=("environment", "service"))
    incident = room.triage()
    assert (incident.severity, incident.service, incident.environment) == (Severity.SEV3, "checkout", "production")


def test_rules_see_the_tags_of_the_alarm(room: Room) -> None:
    room.bundle = with_rules(rule('squad="blue"', receiver="ticket"))
    room.open(tags={"squad": "blue"})
    assert room.triage().receiver == "ticket"


def test_a_rule_in_monitor_mode_sets_nothing_and_says_what_it_would_set(room: Room) -> None:
    sets = {"severity": "SEV5", "receiver": "ticket", "labels": {"team": "pay"}, "responders": ["ana"]}
    watched = {**rule(**sets), "mode": "monitor"}
    after = {"name": "after", "matchers": ['team="pay"'], "set": {"receiver": "page"}}
    room.bundle = with_rules(watched, after)
    room.open()
    incident = room.triage()
    assert (incident.receiver, incident.labels, incident.responders) == (None, {}, ())
    assert incident.severity is not Severity.SEV5
    said = "rule night would set severity=SEV5, receiver=ticket, labels.team=pay, responders.ana"
    assert room.last["would"] == [said]
    assert f"{said} (it is in monitor mode)" in room.table.entries[ID][-1].text
    assert "rules" not in room.last


def test_what_a_rule_before_it_has_set_a_watched_one_would_not_set(room: Room) -> None:
    first = {"name": "first", "set": {"receiver": "page"}}
    room.bundle = with_rules(first, {**rule(receiver="ticket"), "mode": "monitor"})
    room.open()
    room.triage()
    assert "would" not in room.last


def test_what_a_sender_says_of_a_signal_are_labels_of_its_incident_which_a_rule_may_set_otherwise(room: Room) -> None:
    room.bundle = with_rules(rule('team="db"', labels={"team": "data"}))
    tags = {"team": "db", "rack": "7", "aws:cloudformation:stack-name": "x", "incidentio:page": "yes", "odd name": "x"}
    room.open(tags=tags)
    assert room.triage().labels == {"team": "data", "rack": "7"}


def test_an_incident_has_so_few_labels_that_its_record_stays_small(room: Room) -> None:
    room.open(tags={f"label_{n:02}": "v" * 300 for n in range(50)})
    labels = room.triage().labels
    assert sorted(labels) == [f"label_{n:02}" for n in range(20)]
    assert {len(value) for value in labels.values()} == {128}
