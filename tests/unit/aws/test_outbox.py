import json
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from incidentio.aws.attributes import to_item
from incidentio.aws.outbox.publish import publish
from incidentio.aws.stored import entry_item
from tests.make import opened
from tests.offline import offline_client


def a_record(n: int, **data: Any) -> dict[str, Any]:
    first = opened().entries[0]
    entry = first.model_copy(update={"seq": n, "data": {**first.data, **data}})
    return {"dynamodb": {"NewImage": to_item(entry_item(entry)), "SequenceNumber": str(n)}}


@pytest.fixture
def events():
    client = offline_client("events")
    with Stubber(client) as stubber:
        yield client, stubber


def test_every_entry_becomes_an_event_with_a_stable_id(events):
    client, stubber = events
    seen: list[dict[str, Any]] = []
    client.meta.events.register("before-parameter-build.events.PutEvents", lambda params, **_: seen.append(params))
    stubber.add_response("put_events", {"Entries": [{"EventId": "1"}] * 10, "FailedEntryCount": 0}, {"Entries": ANY})
    stubber.add_response("put_events", {"Entries": [{"EventId": "1"}] * 2, "FailedEntryCount": 0}, {"Entries": ANY})
    assert publish(client, "bus", [a_record(n) for n in range(1, 13)]) is None
    details = [json.loads(entry["Detail"]) for call in seen for entry in call["Entries"]]
    assert [d["id"] for d in details] == [f"INC-7K3F9A-{n}" for n in range(1, 13)]
    assert details[0]["type"] == "IncidentTriggered"
    assert details[0]["data"]["text"] == "opened"


def test_one_request_never_has_more_than_the_bus_takes(events):
    client, stubber = events
    seen: list[list[str]] = []
    client.meta.events.register(
        "before-parameter-build.events.PutEvents",
        lambda params, **_: seen.append([entry["Detail"] for entry in params["Entries"]]),
    )
    for count in (2, 2, 1):
        answer = {"Entries": [{"EventId": "1"}] * count, "FailedEntryCount": 0}
        stubber.add_response("put_events", answer, {"Entries": ANY})
    assert publish(client, "bus", [a_record(n, plan="ü" * 50_000) for n in range(1, 6)]) is None
    assert [[json.loads(detail)["id"][-1] for detail in request] for request in seen] == [["1", "2"], ["3", "4"], ["5"]]
    assert max(len("".join(request).encode()) for request in seen) < 256_000


def test_an_event_the_bus_would_not_take_goes_without_its_long_values(events):
    client, stubber = events
    seen: list[dict[str, Any]] = []
    client.meta.events.register("before-parameter-build.events.PutEvents", lambda params, **_: seen.append(params))
    stubber.add_response("put_events", {"Entries": [{"EventId": "1"}], "FailedEntryCount": 0}, {"Entries": ANY})
    assert publish(client, "bus", [a_record(1, plan=["x" * 1000] * 300, severity="SEV1")]) is None
    data = json.loads(seen[0]["Entries"][0]["Detail"])["data"]
    assert (data["text"], data["severity"], data["left_out"]) == ("opened", "SEV1", ["plan"])
    assert "plan" not in data


def test_a_refused_entry_is_where_the_stream_resumes(events):
    client, stubber = events
    results = [{"EventId": "1"}, {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}, {"EventId": "1"}]
    stubber.add_response("put_events", {"Entries": results, "FailedEntryCount": 1}, {"Entries": ANY})
    assert publish(client, "bus", [a_record(n) for n in (5, 6, 7)]) == "6"


def test_an_unreachable_bus_resumes_at_the_batch_it_refused(events):
    client, stubber = events
    stubber.add_response("put_events", {"Entries": [{"EventId": "1"}] * 10, "FailedEntryCount": 0}, {"Entries": ANY})
    stubber.add_client_error("put_events", "InternalFailure", http_status_code=500)
    assert publish(client, "bus", [a_record(n) for n in range(1, 12)]) == "11"
