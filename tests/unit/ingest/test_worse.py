"""A signal that fires already and says that it is worse: its incident hears of it, and nobody else's does."""

import json

import pytest

from incidentio.core.catalog import Catalog
from incidentio.core.members import member_key, pointer_key
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from tests.unit.ingest.doors import Desk, notification, sample, signal
from tests.unit.storm.lanes import Estate

KEY = "canary/checkout"


def fires(desk: Desk, severity: str | None, second: float = 0, *, state: str = "firing", reason: str = "") -> str:
    told = {"severity": severity} if severity else {}
    return notification(signal(state, desk.at(second), reason=reason, **told))


def known(desk: Desk) -> tuple[str, str]:
    """What its pointer and its member say."""
    pointer = desk.table.records[pointer_key(KEY)]
    return pointer["severity"], desk.table.records[member_key(pointer["incident_id"], KEY)]["severity"]


def test_a_worse_severity_is_told_to_triage_with_what_the_signal_says_now() -> None:
    desk = Desk()
    desk(fires(desk, "warning"))
    report = desk(fires(desk, "critical", reason="nobody can pay"))
    assert report.counts == {"worsened": 1}
    assert desk.types == ["IncidentTriggered", "SignalWorsened"]
    assert "is SEV1 now: nobody can pay" in desk.table.entries[desk.incident.id][-1].text
    assert known(desk) == ("SEV1", "SEV1")
    assert (desk.incident.members, desk.incident.firing) == (1, 1)
    assert desk.table.records[pointer_key(KEY)]["count"] == 2


def test_as_bad_as_before_or_less_is_one_write_without_a_read() -> None:
    desk = Desk()
    desk(fires(desk, "SEV2"))
    for severity in ("SEV2", "SEV3", None):
        before = desk.table.calls
        assert desk(fires(desk, severity)).counts == {"duplicate": 1}
        assert desk.table.calls == before + 1
    assert known(desk) == ("SEV2", "SEV2")
    assert desk.types == ["IncidentTriggered"]


def test_a_first_severity_is_news_once() -> None:
    desk = Desk()
    desk(fires(desk, None))
    assert desk(fires(desk, "SEV3")).counts == {"worsened": 1}
    assert desk(fires(desk, "SEV3")).counts == {"duplicate": 1}


def test_the_worst_of_one_delivery_counts_whatever_comes_last() -> None:
    desk = Desk()
    desk(fires(desk, "critical", 0), fires(desk, "warning", 1))
    assert desk.incident.severity is Severity.SEV1
    assert known(desk) == ("SEV1", "SEV1")


def test_the_worst_of_two_counts_where_the_queue_turned_them_round() -> None:
    desk = Desk()
    desk(fires(desk, "warning", 10))
    assert desk(fires(desk, "critical", 5)).counts == {"worsened": 1}
    assert (known(desk), desk.types) == (("SEV1", "SEV1"), ["IncidentTriggered", "SignalWorsened"])
    assert desk(fires(desk, None, 7, state="ok")).counts == {"stale": 1}, "the fence stays at the newest"


def test_what_is_of_an_earlier_firing_makes_nothing_worse() -> None:
    desk = Desk()
    desk(fires(desk, "SEV3", 0))
    desk(fires(desk, None, 7, state="ok"))
    desk(fires(desk, "SEV3", 10))
    for second in (5, 7):
        assert desk(fires(desk, "SEV1", second)).counts == {"stale": 1}
    assert known(desk) == ("SEV3", "SEV3")


def test_what_is_of_an_earlier_incident_makes_nothing_worse() -> None:
    desk = Desk()
    desk(fires(desk, "SEV3", 0))
    desk.end(desk.incident.id)
    desk.clock.advance(hours=3)
    desk(fires(desk, "SEV3", 10_000))
    assert desk(fires(desk, "SEV1", -5)).counts == {"stale": 1}
    assert known(desk) == ("SEV3", "SEV3")


def test_after_a_recovery_it_is_as_bad_as_it_says_then() -> None:
    desk = Desk()
    desk(fires(desk, "SEV1", 0))
    desk(fires(desk, None, 5, state="ok"))
    desk(fires(desk, "SEV3", 10))
    assert known(desk) == ("SEV3", "SEV3")
    assert desk(fires(desk, "SEV2", 10)).counts == {"worsened": 1}


def test_a_severity_of_an_earlier_incident_says_nothing_of_the_next() -> None:
    desk = Desk()
    desk(fires(desk, "SEV1", 0))
    desk(fires(desk, None, 5, state="ok"))
    desk.end(desk.incident.id)
    desk.clock.advance(hours=3)
    desk(fires(desk, None, 10_000))
    assert desk(fires(desk, "SEV1", 10_050)).counts == {"worsened": 1}
    assert known(desk) == ("SEV1", "SEV1")


def test_two_workers_never_make_it_less_bad_again() -> None:
    desk = Desk()
    desk(fires(desk, "SEV4"))
    desk.table.before_commit.append(lambda: desk(fires(desk, "SEV1")))
    desk(fires(desk, "SEV3"))
    assert known(desk) == ("SEV1", "SEV1")


def test_a_finding_that_becomes_high_is_live_and_high_in_one_step() -> None:
    desk = Desk()
    desk.clock.advance(days=30)
    finding = json.loads(sample("guardduty_finding_medium"))
    finding["detail"]["severity"] = 5
    desk(json.dumps(finding))
    assert (desk.incident.mode, desk.incident.severity) == (Mode.MONITOR, Severity.SEV3)
    finding["detail"]["severity"] = 8
    desk(json.dumps(finding))
    assert desk.incident.mode is Mode.LIVE
    assert desk.types == ["IncidentTriggered", "SignalWorsened", "IncidentPromoted"]
    member = desk.table.records[member_key(desk.incident.id, desk.incident.dedup_key or "")]
    assert member["severity"] == "SEV2"
    assert desk(json.dumps(finding)).counts == {"duplicate": 1}


def test_what_is_inhibited_stays_silent_and_remembers_how_bad_it_is() -> None:
    rule = {"source_matchers": ['alertname="az"'], "target_matchers": ['alertname="host"']}
    desk = Desk(Catalog.model_validate({"routing": {"inhibit_rules": [rule]}}))
    desk(notification(signal("firing", desk.at(0), dedup_key="az", tags={"alertname": "az"})))
    for severity, second in (("SEV3", 3), ("SEV2", 4), ("SEV1", 2)):  # the last one was overtaken
        told = {"alertname": "host"}
        desk(notification(signal("firing", desk.at(second), severity=severity, tags=told)))
    assert known(desk) == ("SEV1", "SEV1")
    assert set(desk.types) == {"IncidentTriggered", "SignalInhibited"}


@pytest.mark.parametrize(("mildly", "event"), [("SEV3", "IncidentReopened"), ("SEV2", "ImpactReturned")])
def test_what_comes_back_worse_than_it_was_is_paged_as_that(mildly: str, event: str) -> None:
    estate = Estate()
    estate.fire("canary", severity=mildly)
    estate.clock.advance(seconds=10)
    estate.fire("canary", state="ok", severity=mildly)
    estate.sweep(minutes=6)
    estate.fire("canary", severity="SEV1")
    incident = estate.of("canary")
    assert event in estate.table.types(incident.id)
    assert incident.severity is Severity.SEV1
    assert "SEV1" in estate.told(incident)[-1].page_id
