import json

from incidentio.communicate.batch import handle
from incidentio.core.events import event_of
from tests.unit.communicate.conftest import ID


def records(*bodies):
    return [
        {"messageId": f"m{i}", "body": body if isinstance(body, str) else json.dumps(body)}
        for i, body in enumerate(bodies)
    ]


def on_the_bus(entry):
    event = event_of(entry)
    return {"source": "incidentio", "detail-type": event.type, "detail": event.model_dump(mode="json")}


def test_a_message_that_cannot_be_read_does_not_stop_the_others(desk):
    desk.open()
    desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    report = handle(records("not json", on_the_bus(desk.table.entries[ID][1])), desk.teller)
    assert report.failed == ("m0",)
    assert len(desk.topics) == 1
    assert report.counts == {"PagesPublished": 1, "NotTold": 1}


def test_an_event_of_an_unknown_incident_comes_back(desk):
    desk.open()
    unknown = on_the_bus(desk.table.entries[ID][0])
    unknown["detail"] |= {"incident_id": "INC-000000", "type": "IncidentTriaged"}
    assert handle(records(unknown), desk.teller).failed == ("m0",)


def test_the_sweep_arrives_through_the_same_queue(desk):
    desk.open()
    desk.clock.advance(seconds=61)
    report = handle(records({"sweep": "communicate"}), desk.teller)
    assert report.failed == ()
    assert len(desk.topics) == 1


def test_a_sweep_that_failed_for_one_incident_comes_back(desk, sns_is_down):
    desk.open()
    desk.clock.advance(seconds=61)
    desk.topics.failures.append(sns_is_down)
    assert handle(records({"sweep": "communicate"}), desk.teller).failed == ("m0",)
