import json

from incidentio.communicate import sweep as sweeping
from incidentio.communicate.batch import handle
from incidentio.core.errors import Unavailable
from incidentio.core.events import event_of
from tests.fakes import FakeClock
from tests.make import opened
from tests.unit.communicate.conftest import ID

LOOK = {"sweep": "communicate"}


def records(*bodies, sent_at=None):
    sent = {"SentTimestamp": str(int((sent_at or FakeClock()()).timestamp() * 1000))}
    return [
        {"messageId": f"m{i}", "attributes": sent, "body": body if isinstance(body, str) else json.dumps(body)}
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
    report = handle(records(LOOK), desk.teller)
    assert report.failed == ()
    assert len(desk.topics) == 1


def test_a_sweep_that_failed_for_one_incident_comes_back(desk, sns_is_down):
    desk.open()
    desk.clock.advance(seconds=61)
    desk.topics.failures.append(sns_is_down)
    assert handle(records(LOOK), desk.teller).failed == ("m0",)


def looks(desk, monkeypatch):
    """The moments at which incidents were looked for."""
    seen, due = [], desk.table.due
    monkeypatch.setattr(desk.table, "due", lambda now: [seen.append(now), *due(now)][1:])
    return seen


def test_looks_that_waited_are_done_once(desk, monkeypatch):
    seen = looks(desk, monkeypatch)
    asked = [desk.clock.advance(minutes=1) for _ in range(4)]
    desk.clock.advance(seconds=30)
    for at in asked:
        assert handle(records(LOOK, sent_at=at), desk.teller).failed == ()
    assert seen == [desk.clock()]
    handle(records(LOOK, sent_at=desk.clock.advance(seconds=1)), desk.teller)
    assert len(seen) == 2


def test_a_look_that_failed_covers_none_of_those_that_wait(desk, sns_is_down, monkeypatch):
    desk.open()
    seen = looks(desk, monkeypatch)
    asked = desk.clock.advance(seconds=61)
    desk.topics.failures.append(sns_is_down)
    assert handle(records(LOOK, sent_at=asked), desk.teller).failed == ("m0",)
    assert handle(records(LOOK, sent_at=asked), desk.teller).failed == ()
    assert len(seen) == 2


def test_of_the_looks_of_one_delivery_one_is_done_and_after_the_news(desk, monkeypatch):
    """Each takes up to half of the time the function has; with two, all of it would come back again and again."""
    desk.open()
    desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    desk.table.commit(opened(id="INC-000002"))
    seen = looks(desk, monkeypatch)
    desk.topics.failures += [Unavailable("down")] * 3
    detail = event_of(desk.table.entries[ID][-1]).model_dump(mode="json")
    asked = desk.clock.advance(seconds=61)
    report = handle(records(LOOK, LOOK, {"detail": detail}, LOOK, sent_at=asked), desk.teller)
    assert report.failed == ("m2", "m0")
    assert len(seen) == 1
    assert desk.topics.failures == []


def test_a_look_ends_in_time_and_the_next_goes_on_where_it_stopped(desk):
    desk.open()
    desk.table.commit(opened(id="INC-000002"))
    asked = desk.clock.advance(seconds=61)
    took_long = sweeping.BUDGET.total_seconds() + 1
    for expected in (["INC-000002"], ["INC-000002", ID]):
        desk.topics.on_publish.append(lambda: desk.clock.advance(seconds=took_long))
        assert handle(records(LOOK, sent_at=asked), desk.teller).failed == ()
        assert [sent.attributes["incident_id"] for sent in desk.topics.sent] == expected


def test_news_that_took_long_leaves_a_look_no_more_than_one_incident(desk, monkeypatch):
    desk.open()
    desk.record("IncidentTriaged", lifecycle=True, triaged_at=desk.clock(), triaged_as="live")
    for n in range(2, 5):
        desk.table.commit(opened(id=f"INC-00000{n}"))
    detail = event_of(desk.table.entries[ID][-1]).model_dump(mode="json")
    asked = desk.clock.advance(seconds=61)
    desk.topics.on_publish.append(lambda: desk.clock.advance(seconds=sweeping.BUDGET.total_seconds() + 1))
    assert handle(records({"detail": detail}, LOOK, sent_at=asked), desk.teller).failed == ()
    assert len(desk.topics) == 2
