"""Alarms that fire and are not known come in; what is known, ignored or muted is treated as such."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.alarm import Alarm
from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.errors import Forbidden, Unavailable
from incidentio.core.ids import iso
from incidentio.core.incident import Status, recorded
from incidentio.core.members import pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record
from incidentio.core.signal import Mode
from incidentio.detect.reconcile import Reconciliation
from tests.fakes import FakeTable
from tests.make import NOW, an_incident

TOPIC = "arn:aws:sns:eu-west-1:111122223333:incidentio-signals"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:incidentio-ingest"


def alarm(name: str = "checkout", **fields: Any) -> Alarm:
    return Alarm(
        **{
            "name": name,
            "arn": f"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}",
            "changed_at": NOW,
            "reason": "Threshold Crossed",
            "namespace": "AWS/Lambda",
            "metric": "Errors",
            "dimensions": {"FunctionName": "checkout"},
            **fields,
        }
    )


class FakeAlarms(list[Alarm]):
    muted: Callable[[str], bool] = staticmethod(lambda name: False)

    def firing(self) -> Iterable[Alarm]:
        return iter(self)

    def is_muted(self, name: str) -> bool:
        return self.muted(name)


class FakeQueue(list[dict[str, Any]]):
    def send_all(self, bodies: Sequence[str]) -> None:
        self.extend(json.loads(body) for body in bodies)


def reconcile(
    table: FakeTable, *alarms: Alarm, catalog: Catalog | None = None, muted: Callable[[str], bool] | None = None
) -> FakeQueue:
    queue, there = FakeQueue(), FakeAlarms(alarms)
    there.muted = muted or there.muted
    attachment = Attachment(own_prefix="incidentio", catalog=catalog or Catalog())
    sent = Reconciliation(table, there, queue, attachment, topic_arn=TOPIC, function_arn=FUNCTION).run()
    assert sent == len(queue)
    return queue


def known(table: FakeTable, **fields: Any) -> None:
    body = {"incident_id": "INC-7K3F9A", "open": True, "state": "firing", "mode": "live", "fence": iso(NOW)}
    table.write(Put(Record(pointer_key(alarm().arn), {**body, **fields})))


def opened(table: FakeTable, **fields: Any) -> None:
    table.commit(recorded(an_incident(**fields), "IncidentTriggered", actor=SYSTEM, at=NOW, text="opened"))


def test_an_alarm_from_before_the_deployment_comes_in_as_its_state_change() -> None:
    (event,) = reconcile(FakeTable(), alarm(actions=(TOPIC,)))
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [alarm().arn]
    assert event["detail"]["alarmName"] == "checkout"
    assert event["detail"]["state"] == {
        "value": "ALARM",
        "reason": "Threshold Crossed",
        "timestamp": "2026-03-01T12:00:00.000Z",
    }
    metric = event["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]
    assert metric == {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": "checkout"}}


SERVICE = Catalog.model_validate({"services": {"checkout": {"match": {"alarm_names": ["checkout"]}}}})


@pytest.mark.parametrize(
    ("fields", "catalog", "mode", "why"),
    [
        ({"actions": (TOPIC,)}, None, "live", "its action is our signal topic"),
        ({"actions": ("arn:aws:sns:eu-west-1:111122223333:other",)}, None, "monitor", "not attached"),
        ({}, SERVICE, "live", "service checkout"),
        ({"actions": (TOPIC,), "actions_enabled": False}, SERVICE, "monitor", "its actions are disabled"),
        ({"actions": (TOPIC,), "suppressed_by": "Alarm"}, SERVICE, "monitor", "its actions are suppressed (Alarm)"),
    ],
)
def test_the_mode_it_comes_in_with(fields: dict[str, Any], catalog: Catalog | None, mode: str, why: str) -> None:
    (event,) = reconcile(FakeTable(), alarm(**fields), catalog=catalog)
    assert event["incidentio"]["mode"] == mode
    assert why in event["incidentio"]["reason"]


def test_a_muted_alarm_comes_in_watched_and_is_made_live_when_its_mute_is_over() -> None:
    table = FakeTable()
    (event,) = reconcile(table, alarm(actions=(TOPIC,)), muted=lambda name: name == "checkout")
    assert event["incidentio"] == {"mode": "monitor", "reason": "a mute rule is active"}
    opened(table)
    known(table, mode="monitor")
    assert reconcile(table, alarm(actions=(TOPIC,)), muted=lambda _: True) == []
    (event,) = reconcile(table, alarm(actions=(TOPIC,)))
    assert event["incidentio"]["mode"] == "live"


def test_where_nobody_can_say_whether_it_is_muted_it_is_live() -> None:
    def refused(name: str) -> bool:
        raise Forbidden("asking whether an alarm is muted: AccessDenied")

    (event,) = reconcile(FakeTable(), alarm(actions=(TOPIC,)), muted=refused)
    assert event["incidentio"]["mode"] == "live"


@pytest.mark.parametrize("name", ["TargetTracking-service/a/b-AlarmHigh-1", "incidentio-ingest-failing"])
def test_autoscaling_and_our_own_stay_out(name: str) -> None:
    assert reconcile(FakeTable(), alarm(name)) == []


@pytest.mark.parametrize(
    ("pointer", "later", "missing"),
    [
        ({}, 0, False),
        ({}, 60, False),
        ({"state": "ok"}, 60, True),
        ({"state": "ok"}, 1, False),
        ({"open": False}, 1, False),
        ({"open": False}, 60, True),
        ({"open": False, "incident_id": None, "state": "ok"}, 60, True),
    ],
)
def test_only_what_is_news_is_sent(pointer: dict[str, Any], later: int, missing: bool) -> None:
    table = FakeTable()
    opened(table)
    known(table, **pointer)
    assert bool(reconcile(table, alarm(changed_at=NOW + timedelta(seconds=later)))) is missing


def test_a_pointer_left_open_by_an_ended_incident_is_set_right_and_the_alarm_sent() -> None:
    table = FakeTable()
    opened(table, status=Status.RESOLVED, resolved_at=NOW)
    changed = NOW + timedelta(minutes=1)
    known(table, fence=iso(changed))
    assert len(reconcile(table, alarm(changed_at=changed))) == 1
    pointer = table.records[pointer_key(alarm().arn)]
    assert (pointer["open"], pointer["fence"]) == (False, iso(NOW))


def test_an_alarm_that_fired_all_along_when_a_person_resolved_stays_quiet() -> None:
    table = FakeTable()
    opened(table, status=Status.RESOLVED, resolved_at=NOW + timedelta(minutes=9))
    known(table)
    assert reconcile(table, alarm()) == []


def test_many_alarms_are_looked_up_a_hundred_at_a_time() -> None:
    table = FakeTable()
    queue = reconcile(table, *(alarm(f"a{n}") for n in range(250)))
    assert len(queue) == 250
    assert table.calls == 3


def test_one_record_nobody_can_read_does_not_hide_the_other_alarms() -> None:
    table, queue = FakeTable(), FakeQueue()
    known(table, fence="not a time")
    attachment = Attachment(own_prefix="incidentio", catalog=Catalog())
    alarms = FakeAlarms([alarm(changed_at=NOW + timedelta(minutes=1)), alarm("other")])
    with pytest.raises(Unavailable, match="1 alarm"):
        Reconciliation(table, alarms, queue, attachment, topic_arn=TOPIC, function_arn=FUNCTION).run()
    assert [event["detail"]["alarmName"] for event in queue] == ["other"]


def test_a_pointer_to_an_incident_that_is_gone_swallows_nothing() -> None:
    table = FakeTable()
    known(table)
    (event,) = reconcile(table, alarm())
    pointer = table.records[pointer_key(alarm().arn)]
    assert pointer["open"] is False
    assert pointer["fence"] < event["detail"]["state"]["timestamp"]


@pytest.mark.parametrize("action", [TOPIC, FUNCTION, f"{FUNCTION}:live"])
def test_an_alarm_whose_action_is_one_of_our_doors_is_live(action: str) -> None:
    (sent,) = reconcile(FakeTable(), alarm(actions=(action,)))
    assert sent["incidentio"]["mode"] == "live"


def test_an_alarm_with_the_action_of_somebody_else_is_watched() -> None:
    (sent,) = reconcile(FakeTable(), alarm(actions=(f"{FUNCTION}-other",)))
    assert sent["incidentio"]["mode"] == "monitor"


@pytest.mark.parametrize(
    ("fields", "catalog", "sent"),
    [
        ({"actions": (TOPIC,)}, None, True),
        ({}, Catalog.model_validate({"services": {"checkout": {"match": {"alarm_names": ["checkout"]}}}}), True),
        ({}, None, False),
        ({"actions": (TOPIC,), "actions_enabled": False}, None, False),
    ],
)
def test_what_was_only_watched_and_is_live_by_now_comes_in_again(
    fields: dict[str, Any], catalog: Catalog | None, sent: bool
) -> None:
    table = FakeTable()
    opened(table, mode=Mode.MONITOR)
    known(table, mode="monitor")
    assert [e["incidentio"]["mode"] for e in reconcile(table, alarm(**fields), catalog=catalog)] == ["live"] * sent
    known(table, mode="live")
    assert reconcile(table, alarm(**fields), catalog=catalog) == []


def test_a_watched_one_that_an_ended_incident_left_open_is_set_right_before_it_comes_in_as_live() -> None:
    table = FakeTable()
    opened(table, mode=Mode.MONITOR, status=Status.RESOLVED, resolved_at=NOW)
    known(table, mode="monitor", fence=iso(NOW - timedelta(minutes=10)))
    later = alarm(actions=(TOPIC,), changed_at=NOW + timedelta(minutes=5))
    assert len(reconcile(table, later)) == 1
    assert table.records[pointer_key(later.arn)]["open"] is False
