"""One delivery: nothing is lost, nothing holds up anything else, and only what may succeed comes back."""

import json
from typing import Any

import pytest

from incidentio.core.errors import Unavailable
from incidentio.core.members import pointer_key
from incidentio.ingest.message import read
from tests.unit.ingest.doors import Desk, action, arn, event, notification, signal


def test_poison_goes_to_the_dead_letters_with_its_reason_and_its_body() -> None:
    desk = Desk()
    report = desk("not json \u00fc", action("ALARM", desk.at(0)))
    assert desk.dead_letters == [("not json \u00fc", "the body is not JSON")]
    assert report.failed == []
    assert report.counts == {"poison": 1, "new": 1}


def test_poison_the_dead_letter_queue_refuses_comes_back() -> None:
    desk = Desk()
    desk.dead_letters.broken = True
    report = desk("poison", action("ALARM", desk.at(0)))
    assert report.failed == ["m0"]
    assert len(desk.table) == 1


def test_a_failure_of_one_key_hands_back_its_messages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    commit = desk.table.commit

    def failing(change, *writes):  # type: ignore[no-untyped-def]
        if change.incident.dedup_key == arn("b"):
            raise Unavailable("throttled")
        commit(change, *writes)

    monkeypatch.setattr(desk.table, "commit", failing)
    report = desk(
        action("ALARM", desk.at(0), alarm="a"),
        action("ALARM", desk.at(0), alarm="b"),
        action("OK", desk.at(5), alarm="b"),
        action("ALARM", desk.at(0), alarm="c"),
    )
    assert report.failed == ["m1", "m2"]
    assert sorted(i.title for i in desk.incidents) == ["a", "c"]
    assert pointer_key(arn("b")) not in desk.table.records


def test_what_was_done_before_the_failure_is_not_handed_back(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    def failing(_keys):  # type: ignore[no-untyped-def]
        raise Unavailable("throttled")

    monkeypatch.setattr(desk.table, "get_many", failing)
    assert desk(action("ALARM", desk.at(0)), action("OK", desk.at(5))).failed == ["m1"]
    monkeypatch.undo()
    desk(action("OK", desk.at(5)))
    assert desk.types == ["IncidentTriggered", "SignalRecovered"]


@pytest.mark.parametrize(
    "poison",
    [
        json.dumps(signal("firing", Desk().at(0)) | {"changed_at": "0001-01-01T00:00:00+14:00"}),
        json.dumps(signal("firing", Desk().at(0)) | {"impact_started_at": "0001-01-01T00:00:00+14:00"}),
        action("ALARM", Desk().at(0)).replace("2026-03-01T12:00:00.000+0000", "0001-01-01T00:00:00+14:00"),
        action("ALARM", Desk().at(0)).replace("2026-03-01T12:00:00.000+0000", "9999-12-31T23:00:00-14:00"),
        action("ALARM", Desk().at(0), alarm="a\ud800b"),
        event("ALARM", Desk().at(0), alarm="a\r\nb"),
    ],
)
def test_hostile_times_and_names_hold_up_nobody_and_are_given_up_at_once(poison: str) -> None:
    desk = Desk()
    body = notification(poison) if "signal/v1" in poison else poison
    report = desk(body, action("ALARM", desk.at(0)))
    assert (report.failed, report.counts) == ([], {"poison": 1, "new": 1})


def test_a_defect_in_reading_one_message_holds_up_that_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    def broken(body: str, **given: Any) -> Any:
        if body == "strange":
            raise OverflowError
        return read(body, **given)

    monkeypatch.setattr("incidentio.ingest.batch.read", broken)
    report = desk("strange", action("ALARM", desk.at(0)))
    assert (report.failed, report.counts) == (["m0"], {"failed": 1, "new": 1})


@pytest.mark.parametrize("door", [event, action])
@pytest.mark.parametrize("alarm", ["TargetTracking-service/shop/checkout-AlarmLow-1", "incidentio-ingest-failing"])
def test_autoscaling_and_our_own_alarms_are_counted_and_nothing_else(door, alarm: str) -> None:  # type: ignore[no-untyped-def]
    desk = Desk()
    assert desk(door("ALARM", desk.at(0), alarm=alarm)).counts == {"ignored": 1}
    assert (desk.table.calls, desk.table.records, desk.dead_letters) == (0, {}, [])


def test_the_log_has_a_line_per_decision_and_no_payload(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk()
    body = json.loads(event("ALARM", desk.at(0)))
    body["detail"]["state"]["reason"] = "password=hunter2"
    desk(json.dumps(body), "poison hunter2")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["given up", "new"]
    assert lines[1]["incident_id"] == desk.incident.id
    assert lines[1]["correlation_id"] == "m0"
    assert "hunter2" not in json.dumps(lines)
