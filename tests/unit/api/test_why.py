"""Why was, or was not, somebody paged?"""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.api.why import WhyView, explained
from incidentio.communicate.sweep import sweep
from incidentio.core import lifecycle, quiet
from incidentio.core.bundle import Bundle
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode
from incidentio.core.silence import Silence
from tests.make import ALICE
from tests.unit.api.conftest import World
from tests.unit.communicate.conftest import ID, Desk, desk_with


@pytest.fixture
def desk() -> Desk:
    return desk_with(Bundle())


def told_by(desk: Desk) -> WhyView:
    routing = desk.teller.bundle.catalog.routing
    return explained(desk.incident, desk.table.timeline(ID), routing, desk.teller.quiets())


def routed(**routing: Any) -> Desk:
    return desk_with(Bundle.of({"catalog": {"routing": routing}}))


def silenced(desk: Desk, mode: str = "live") -> None:
    at = desk.clock()
    made = {
        "id": "SIL-000001",
        "matchers": ['service="checkout"'],
        "author": "alice",
        "comment": "load test",
        "starts_at": at,
        "ends_at": at + timedelta(minutes=30),
        "created_at": at,
        "mode": mode,
    }
    quiet.add(desk.table, Silence.model_validate(made))


def test_a_page_is_explained_from_signal_to_what_comes_next(desk):
    desk.open(service="checkout", mode_reason="its actions name the signal topic", members=1, firing=1)
    desk.triaged()
    answer = told_by(desk)
    assert answer.answer == [
        "INC-7K3F9A is SEV2 of checkout in production, triggered; its signal fires. It began with: opened.",
        "It is live (its actions name the signal topic).",
        'Routing sends it to the page topic: the route environment="production", severity=~"SEV[12]" matches.',
        "The page topic was told at 2026-03-01 12:00:00 UTC as SEV2 (PG-7K3F9A-1-page.SEV2-1).",
        "Next, at 2026-03-01 12:05:00 UTC: it is told again, unless somebody acknowledges it.",
    ]
    assert [(page.topic, page.page_id) for page in answer.told] == [("page", "PG-7K3F9A-1-page.SEV2-1")]


def test_a_silence_is_named_with_author_comment_and_end(desk):
    silenced(desk)
    desk.open(service="checkout")
    desk.triaged()
    answer = told_by(desk)
    silence = "silenced by SIL-000001 (alice, load test) until 2026-03-01 12:30:00 UTC"
    assert answer.answer[-4:] == [
        "Nobody has been called.",
        f"At 2026-03-01 12:00:00 UTC nobody was told: {silence}.",
        f"Now: {silence}.",
        "Next, at 2026-03-01 12:30:00 UTC: what keeps people from being told is over, and whoever should know is told.",
    ]
    (reason,) = answer.not_told
    assert (reason.quiet, reason.author, reason.comment) == ("SIL-000001", "alice", "load test")
    assert reason.until == "2026-03-01T12:30:00.000Z"


def test_what_only_watches_and_what_is_inhibited_are_named(desk):
    silenced(desk, mode="monitor")
    desk.open(service="checkout")
    desk.triaged()
    data = {"rules": ["az fires (…)"], "author": "ana", "comment": "one page is enough", "ends": "when az has been ok"}
    desk.record("SignalInhibited", data=data)
    answer = told_by(desk)
    assert any(line.startswith("In monitor mode, so it holds nothing back now: silenced by") for line in answer.answer)
    (inhibited,) = answer.not_told
    assert (inhibited.code, inhibited.author, inhibited.ends) == ("inhibited", "ana", "when az has been ok")


def test_monitor_mode_of_an_alarm_and_of_a_route(desk):
    desk.open(mode=Mode.MONITOR, mode_reason="no action names the signal topic")
    desk.triaged()
    said = told_by(desk).answer
    assert (
        said[1] == "Nobody is told of it and nothing starts by itself: monitor mode (no action names the signal topic)."
    )
    assert said[-1] == "Nothing more is told by itself while it is triggered."
    other = routed(route={"receiver": "ticket", "mode": "monitor"})
    other.open()
    other.triaged()
    answer = told_by(other)
    assert "monitor mode of the default route" in answer.answer[1]
    assert answer.route.mode == "monitor"


def test_a_ticket_says_which_route_it_was(desk):
    desk.open()
    desk.triaged(Severity.SEV3)
    assert told_by(desk).answer[2] == "No route matches, so it goes where the top one says: the ticket topic."


def test_what_a_rule_chose_goes_before_the_route(desk):
    desk.open(receiver="page", ruled={"receiver": "batch jobs"})
    desk.triaged(Severity.SEV4)
    said = told_by(desk).answer[2]
    assert said == "A rule (batch jobs) sends it to the page topic, whatever the route says."


def test_a_drill_goes_to_the_test_topic(desk):
    desk.open(kind=Kind.DRILL)
    desk.triaged()
    assert told_by(desk).answer[2] == "A drill goes to the test topic, whatever routing says."


def test_many_pages_are_counted_and_an_acknowledgement_is_waited_for(desk):
    desk.open()
    desk.triaged()
    for _ in range(5):
        desk.clock.advance(minutes=5)
        sweep(desk.teller)
    said = told_by(desk).answer
    assert "call 3 (PG-7K3F9A-1-page.SEV2-3)" in said[5]
    assert said[6] == "And 3 more calls, the last at 2026-03-01 12:25:00 UTC (PG-7K3F9A-1-page.SEV2-6)."
    desk.change(lambda i: lifecycle.acknowledge(i, actor=ALICE, at=desk.clock()))
    following = told_by(desk).next
    assert following is not None
    assert "unless somebody works on it" in following.what
    assert following.at == desk.clock() + timedelta(minutes=30)


def test_what_was_told_and_what_was_not_stand_in_the_order_in_which_they_happened(desk):
    desk.open()
    for _ in range(4):
        desk.record("NotificationSkipped", data={"code": "nobody"})
        desk.clock.advance(seconds=1)
    desk.triaged()
    desk.clock.advance(seconds=1)
    desk.record("NotificationSkipped", data={"code": "nobody"})
    answer = told_by(desk).answer
    assert answer[3:-1] == [
        "(2 earlier reasons are in the timeline.)",
        "At 2026-03-01 12:00:02 UTC NotificationSkipped.",
        "At 2026-03-01 12:00:03 UTC NotificationSkipped.",
        "The page topic was told at 2026-03-01 12:00:04 UTC as SEV2 (PG-7K3F9A-1-page.SEV2-1).",
        "At 2026-03-01 12:00:05 UTC NotificationSkipped.",
    ]


def test_a_reason_that_ends_in_a_period_ends_the_sentence(desk):
    desk.open(title="checkout: task failed to start.")
    entries = [entry for entry in desk.table.timeline(ID) if entry.type != "IncidentTriggered"]
    routing = desk.teller.bundle.catalog.routing
    assert explained(desk.incident, entries, routing, desk.teller.quiets()).answer[0].endswith("failed to start.")


def test_a_storm_is_named(desk):
    desk.open(parent="INC-000001")
    assert "It is told through INC-000001, the storm it is part of." in told_by(desk).answer


def test_over_the_api(world: World) -> None:
    answer = world.alice.get(f"/incidents/{world.opened()}/why")
    assert answer["next"]["what"].startswith("if triage has not answered")
    assert world.alice.call("GET", "/incidents/INC-000000/why").status == 404
