"""Silences, maintenance windows, monitor routes: nobody is told while they hold, and in the end whoever should be."""

import json
from datetime import timedelta
from typing import Any

import pytest

from incidentio.communicate.sweep import sweep
from incidentio.core import lifecycle, quiet
from incidentio.core.bundle import Bundle
from incidentio.core.ports import Key, Put, Record
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode
from incidentio.core.silence import Silence
from tests.make import ALICE, NOW
from tests.unit.communicate.conftest import ID, Desk, desk_with


def silence(
    desk: Desk,
    *matchers: str,
    minutes: float = 30,
    id: str = "SIL-000001",
    starts: float = 0,
    mode: Mode = Mode.LIVE,
) -> None:
    at = desk.clock()
    made = {
        "id": id,
        "matchers": matchers or ('service="checkout"',),
        "author": "alice",
        "comment": "load test",
        "starts_at": at + timedelta(minutes=starts),
        "ends_at": at + timedelta(minutes=starts + minutes),
        "created_at": at,
        "mode": mode,
    }
    quiet.add(desk.table, Silence.model_validate(made))


def with_routing(**routing: Any) -> Desk:
    return desk_with(Bundle.of({"catalog": {"routing": routing}}))


def skipped(desk: Desk) -> list[str]:
    return [e.text for e in desk.table.entries[ID] if e.type == "NotificationSkipped"]


def test_nobody_is_told_of_a_silenced_incident_and_the_timeline_says_who_why_and_until_when(desk):
    silence(desk)
    desk.open(service="checkout")
    desk.triaged()
    desk.hear(2)
    sweep(desk.teller)
    assert len(desk.topics) == 0
    assert skipped(desk) == ["nobody was told: silenced by SIL-000001 (alice, load test) until 2026-03-01 12:30:00 UTC"]
    entry = desk.table.entries[ID][-1]
    assert {name: entry.data[name] for name in ("kind", "quiet", "author", "comment", "until")} == {
        "kind": "silence",
        "quiet": "SIL-000001",
        "author": "alice",
        "comment": "load test",
        "until": "2026-03-01T12:30:00.000Z",
    }


def test_a_silence_in_monitor_mode_holds_nothing_back_and_the_timeline_says_what_it_would_have(desk):
    silence(desk, mode=Mode.MONITOR)
    desk.open(service="checkout")
    desk.triaged()
    assert [s.page_id for s in desk.topics.sent] == ["PG-7K3F9A-1-page.SEV2-1"]
    assert skipped(desk) == []
    told = desk.table.entries[ID][-1]
    assert "In monitor mode: silenced by SIL-000001 (alice, load test) until 2026-03-01 12:30:00 UTC" in told.text
    assert told.data["would"]["author"] == "alice"
    silence(desk, id="SIL-000002")
    desk.clock.advance(minutes=5)
    sweep(desk.teller)
    assert len(desk.topics) == 1
    assert "SIL-000002" in skipped(desk)[0]


def test_a_window_of_the_catalogue_in_monitor_mode_only_shows_itself() -> None:
    window = {"name": "move", "matchers": ['service="checkout"'], "author": "ana", "reason": "new racks"}
    window |= {"starts_at": NOW - timedelta(hours=1), "ends_at": NOW + timedelta(hours=1), "mode": "monitor"}
    desk = with_routing(maintenance=[window])
    desk.open(service="checkout")
    desk.triaged()
    assert len(desk.topics) == 1
    assert "In monitor mode: maintenance move (ana, new racks) until" in desk.table.entries[ID][-1].text


def test_every_rule_that_holds_a_call_back_says_whose_it_is_and_until_when() -> None:
    desk = with_routing(route={"receiver": "page", "mode": "monitor"})
    desk.open(service="checkout")
    desk.triaged()
    data = desk.table.entries[ID][-1].data
    assert (data["author"], data["ends"]) == ("routing.yaml", "when its route is live")
    assert "monitor mode of the default route" in data["comment"]


def test_it_is_told_when_the_silence_ends(desk):
    silence(desk)
    desk.open(service="checkout")
    desk.triaged()
    desk.clock.advance(minutes=29, seconds=59)
    sweep(desk.teller)
    assert len(desk.topics) == 0
    desk.clock.advance(seconds=1)
    sweep(desk.teller)
    sweep(desk.teller)
    assert [s.page_id for s in desk.topics.sent] == ["PG-7K3F9A-1-page.SEV2-1"]
    assert desk.types[-2:] == ["QuietEnded", "PagePublished"]
    assert desk.incident.quiet_until is None
    assert quiet.held(desk.table) == {}


def test_ending_a_silence_early_tells_what_it_held_back(desk):
    silence(desk)
    desk.open(service="checkout")
    desk.triaged()
    desk.clock.advance(minutes=5)
    quiet.end(desk.table, "SIL-000001", by="bob", at=desk.clock())
    sweep(desk.teller)
    assert len(desk.topics) == 1
    assert desk.table.entries[ID][-2].text == (
        "SIL-000001 has ended before its time, 2026-03-01 12:30:00 UTC: whoever should know of this is told from now on"
    )


def test_what_somebody_acknowledged_or_resolved_meanwhile_is_not_told(desk):
    silence(desk)
    desk.open(service="checkout")
    desk.triaged()
    desk.clock.advance(minutes=20)
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.clock.advance(minutes=11)
    sweep(desk.teller)
    assert len(desk.topics) == 0
    assert skipped(desk)[-1] == "nobody was told: it was acknowledged before anybody was told"
    assert quiet.held(desk.table) == {}


def test_other_incidents_are_told(desk):
    silence(desk, 'service="orders"')
    desk.open(service="checkout")
    desk.triaged()
    assert len(desk.topics) == 1


def test_a_silence_that_begins_later_stops_the_pages_already_repeating(desk):
    silence(desk, starts=3, minutes=30)
    desk.open(service="checkout")
    desk.triaged()
    for _ in range(6):
        desk.clock.advance(minutes=5)
        sweep(desk.teller)
    assert len(desk.topics) == 1
    assert len(skipped(desk)) == 1
    desk.clock.advance(minutes=3)
    sweep(desk.teller)
    assert [s.page_id[-1] for s in desk.topics.sent] == ["1", "2"]


def test_a_worse_severity_that_the_matchers_do_not_fit_is_told(desk):
    silence(desk, 'service="checkout"', 'severity=~"SEV[2345]"')
    desk.open(service="checkout")
    desk.triaged()
    desk.change(lambda i: lifecycle.change_severity(i, Severity.SEV1, actor=ALICE, at=desk.clock(), why="worse"))
    assert [s.attributes["severity"] for s in desk.topics.sent] == ["SEV1"]
    desk.clock.advance(minutes=31)
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    sweep(desk.teller)
    assert len(desk.topics) == 1
    assert quiet.held(desk.table) == {}


def test_a_worse_severity_under_the_same_silence_says_again_why_nobody_was_told(desk):
    silence(desk)
    desk.open(service="checkout")
    desk.triaged()
    desk.change(lambda i: lifecycle.change_severity(i, Severity.SEV1, actor=ALICE, at=desk.clock(), why="worse"))
    assert len(skipped(desk)) == 2
    desk.clock.advance(minutes=30)
    sweep(desk.teller)
    assert [s.attributes["severity"] for s in desk.topics.sent] == ["SEV1"]


def test_of_two_silences_one_after_the_other_the_second_goes_on(desk):
    silence(desk, minutes=30)
    desk.open(service="checkout")
    desk.triaged()
    silence(desk, starts=20, minutes=40, id="SIL-000002")
    desk.clock.advance(minutes=30)
    sweep(desk.teller)
    assert len(desk.topics) == 0
    assert quiet.held(desk.table) == {ID: "SIL-000002"}
    desk.clock.advance(minutes=30)
    sweep(desk.teller)
    assert len(desk.topics) == 1


def test_a_page_that_was_claimed_before_the_silence_keeps_its_id_and_waits(desk, sns_is_down):
    desk.open(service="checkout")
    desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    desk.topics.failures.append(sns_is_down)
    with pytest.raises(type(sns_is_down)):
        desk.hear(2)
    silence(desk)
    desk.hear(2)
    assert len(desk.topics) == 0
    desk.clock.advance(minutes=30)
    sweep(desk.teller)
    assert [s.page_id for s in desk.topics.sent] == ["PG-7K3F9A-1-page.SEV2-1"]


def test_news_is_not_told_either_but_what_needs_a_person_is(desk):
    desk.open(service="checkout")
    desk.triaged()
    silence(desk)
    desk.happened("ApprovalRequested", data={"approval_id": "APR-7K3F9A-X"})
    desk.happened("PlaybookRolledBack")
    desk.happened("RollbackFailed")
    desk.change(lambda i: lifecycle.resolve(i, actor=ALICE, at=desk.clock()))
    assert [s.attributes["event"] for s in desk.topics.sent] == [
        "IncidentTriaged",
        "ApprovalRequested",
        "RollbackFailed",
    ]
    assert [text.rpartition(": ")[2] for text in skipped(desk)] == [
        "PlaybookRolledBack is not told",
        "IncidentResolved is not told",
    ]


def test_nothing_holds_back_a_heartbeat(desk):
    silence(desk, 'environment="production"')
    desk.open(kind=Kind.HEARTBEAT)
    desk.triaged()
    assert [s.channel for s in desk.topics.sent] == ["test"]


def test_during_maintenance_nobody_is_told_and_after_it_who_should_be():
    window = {
        "name": "db-upgrade",
        "matchers": ['service="checkout"'],
        "starts_at": NOW - timedelta(minutes=5),
        "ends_at": NOW + timedelta(minutes=20),
        "author": "dba",
        "reason": "major version",
    }
    desk = with_routing(maintenance=[window])
    desk.open(service="checkout")
    desk.triaged()
    assert skipped(desk) == [
        "nobody was told: maintenance db-upgrade (dba, major version) until 2026-03-01 12:20:00 UTC"
    ]
    desk.clock.advance(minutes=20)
    sweep(desk.teller)
    assert [s.channel for s in desk.topics.sent] == ["page"]


def test_a_nightly_window_says_every_night_why_nobody_was_told():
    window = {
        "name": "vacuum",
        "matchers": ['service="checkout"'],
        "rrule": "FREQ=DAILY;BYHOUR=12",
        "duration": "2h",
        "author": "dba",
        "reason": "daily",
    }
    desk = with_routing(maintenance=[window], repeat_interval="1h")
    desk.open(service="checkout")
    desk.triaged()
    for _ in range(50):
        desk.clock.advance(hours=1)
        sweep(desk.teller)
    assert [text.partition("until ")[2] for text in skipped(desk)] == [
        "2026-03-01 14:00:00 UTC",
        "2026-03-02 14:00:00 UTC",
        "2026-03-03 14:00:00 UTC",
    ]
    assert len(desk.topics) == 45


def test_a_window_that_a_deployment_took_away_does_not_hold_any_more():
    window = {
        "name": "vacuum",
        "matchers": ['service="checkout"'],
        "rrule": "FREQ=DAILY;BYHOUR=12",
        "duration": "2h",
        "author": "dba",
        "reason": "daily",
    }
    before = with_routing(maintenance=[window])
    before.open(service="checkout")
    before.triaged()
    assert quiet.held(before.table) == {ID: "vacuum"}
    after = with_routing()
    object.__setattr__(after.teller, "table", before.table)
    sweep(after.teller)
    assert [s.channel for s in after.topics.sent] == ["page"]


def test_a_monitor_route_tells_nobody_and_says_what_it_would_have_done():
    route = {
        "receiver": "ticket",
        "routes": [
            {
                "matchers": ['service="new"'],
                "receiver": "ticket",
                "mode": "monitor",
                "routes": [{"matchers": ['severity="SEV1"'], "receiver": "page"}],
            }
        ],
    }
    desk = with_routing(route=route)
    desk.open(service="new")
    desk.triaged()
    desk.change(lambda i: lifecycle.change_severity(i, Severity.SEV1, actor=ALICE, at=desk.clock(), why="worse"))
    desk.happened("PlaybookRolledBack")
    desk.clock.advance(hours=2)
    assert sweep(desk.teller).done == {}
    assert len(desk.topics) == 0
    assert skipped(desk) == [
        'nobody was told: monitor mode of the route service="new": would have told the ticket topic, as SEV2',
        'nobody was told: monitor mode of the route severity="SEV1": would have told the page topic, as SEV1',
        (
            'nobody was told: monitor mode of the route severity="SEV1": would have told the page topic of'
            " PlaybookRolledBack"
        ),
    ]


def test_a_promoted_incident_whose_event_was_lost_is_told(desk):
    desk.open(mode=Mode.MONITOR)
    desk.triaged()
    desk.record("IncidentPromoted", mode=Mode.LIVE)
    desk.record("IncidentTriaged", triaged_at=desk.clock())
    desk.clock.advance(seconds=61)
    sweep(desk.teller)
    assert len(desk.topics) == 1


def test_a_forgotten_acknowledgement_is_paged_again_once_a_timeout(desk):
    desk.open()
    desk.triaged()
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    for minutes in (29, 1, 29, 1):
        desk.clock.advance(minutes=minutes)
        sweep(desk.teller)
        sweep(desk.teller)
    assert [s.page_id[-1] for s in desk.topics.sent] == ["1", "2", "3"]
    assert "acknowledged, and nobody works on it" in desk.topics.sent[1].subject
    assert "nobody has worked on it since 12:00:00 UTC" in desk.topics.sent[1].body


@pytest.mark.parametrize("type", ["NoteAdded", "RoleAssigned", "SeverityChanged", "PlaybookRequested", "StepApplied"])
def test_work_resets_the_timeout(desk, type):
    from incidentio.core.incident import recorded
    from incidentio.core.person import SYSTEM

    desk.open()
    desk.triaged()
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.clock.advance(minutes=20)
    actor = SYSTEM if type == "StepApplied" else ALICE
    desk.table.commit(recorded(desk.incident, type, actor=actor, at=desk.clock(), text="work"))
    desk.clock.advance(minutes=29)
    sweep(desk.teller)
    assert len(desk.topics) == 1
    desk.clock.advance(minutes=1)
    sweep(desk.teller)
    assert len(desk.topics) == 2


def test_a_page_of_our_own_is_no_work(desk):
    desk.open()
    desk.triaged()
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.clock.advance(minutes=20)
    desk.record("SignalJoined")
    desk.clock.advance(minutes=10)
    sweep(desk.teller)
    assert len(desk.topics) == 2


@pytest.mark.parametrize(
    ("routing", "severity"),
    [
        ({"ack_timeout": "0s"}, Severity.SEV2),
        ({"route": {"receiver": "page", "ack_timeout": "0s"}}, Severity.SEV2),
        ({}, Severity.SEV3),
    ],
)
def test_the_timeout_can_be_off_and_is_for_pages_only(routing, severity):
    desk = with_routing(**routing)
    desk.open()
    desk.triaged(severity)
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    desk.clock.advance(hours=5)
    assert sweep(desk.teller).done == {}
    assert len(desk.topics) == 1


def test_a_silenced_incident_that_was_forgotten_waits_for_the_end(desk):
    desk.open(service="checkout")
    desk.triaged()
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    silence(desk, minutes=60)
    desk.clock.advance(minutes=30)
    sweep(desk.teller)
    sweep(desk.teller)
    assert len(desk.topics) == 1
    assert len(skipped(desk)) == 1
    desk.clock.advance(minutes=30)
    sweep(desk.teller)
    sweep(desk.teller)
    assert len(desk.topics) == 2


def test_ended_silences_stay_on_record_and_are_gone_from_what_is_read_at_every_telling(desk):
    silence(desk)
    quiet.end(desk.table, "SIL-000001", by="bob", at=desk.clock())
    quiet.end(desk.table, "SIL-000001", by="carol", at=desk.clock())
    kept, _ = quiet.kept(desk.table, "SIL-000001")
    assert isinstance(kept, Silence)
    assert (kept.ended_by, kept.state(desk.clock())) == ("bob", "expired")
    assert list(desk.table.query(quiet.LIVE)) == []
    assert desk.table.expires[Key(quiet.KEPT_UNDER, "SIL-000001")] == desk.clock() + timedelta(days=90)


BROKEN_RULES = ["FREQ=WEEKLY;INTERVAL=-1", "FREQ=DAILY;INTERVAL=0", "FREQ=YEARLY;INTERVAL=99999999999"]


def broken_window(**given: Any) -> dict[str, Any]:
    named = {"name": "old", "matchers": ['service="other"'], "author": "ana", "reason": "racks", "duration": "1h"}
    return {**named, "starts_at": NOW - timedelta(days=9), **given}


@pytest.mark.parametrize("rrule", BROKEN_RULES)
@pytest.mark.parametrize("kept", ["stored", "in the catalogue"])
def test_a_window_that_cannot_be_evaluated_holds_nothing_back_and_the_log_names_it(
    rrule: str, kept: str, capsys: pytest.CaptureFixture[str]
) -> None:
    window = broken_window(rrule=rrule, matchers=['service="checkout"'])
    desk = with_routing(maintenance=[window]) if kept == "in the catalogue" else with_routing()
    name = "old"
    if kept == "stored":
        name = "MNT-00BR0K"
        made = quiet.Window.model_validate({"id": name, "created_at": NOW, "maintenance": window})
        quiet.add(desk.table, made)
    desk.open(service="checkout")
    desk.triaged()
    assert [s.page_id for s in desk.topics.sent] == ["PG-7K3F9A-1-page.SEV2-1"]
    desk.clock.advance(minutes=5)
    swept = sweep(desk.teller)
    assert swept.failed == {}
    assert [s.page_id for s in desk.topics.sent] == ["PG-7K3F9A-1-page.SEV2-1", "PG-7K3F9A-1-page.SEV2-2"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(line["level"], line["quiet"]) for line in lines if "quiet" in line} == {("ERROR", name)}


def test_one_that_cannot_be_evaluated_leaves_the_others_as_they_are() -> None:
    desk = with_routing(maintenance=[broken_window(rrule=BROKEN_RULES[0])])
    silence(desk)
    desk.open(service="checkout")
    desk.triaged()
    sweep(desk.teller)
    assert len(desk.topics) == 0
    desk.clock.advance(minutes=30)
    sweep(desk.teller)
    assert len(desk.topics) == 1


def test_what_is_stored_in_a_form_nobody_reads_holds_nothing_back(desk: Desk) -> None:
    silence(desk)
    body = {"id": "SIL-00000X", "matchers": ["what is this"], "author": "password=hunter2secret"}
    desk.table.write(Put(Record(Key(quiet.LIVE, "SIL-00000X"), body)))
    (broken,) = desk.teller.quiets().broken
    assert (broken.id, "hunter2secret" in broken.why) == ("SIL-00000X", False)
    assert [held.id for held in desk.teller.quiets().holding] == ["SIL-000001"]
    desk.open(service="other")
    desk.triaged()
    assert len(desk.topics) == 1
