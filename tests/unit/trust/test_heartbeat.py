"""A heartbeat goes the whole way, says how long it took, and leaves nothing for people to look at."""

import json
from datetime import timedelta

import pytest

from incidentio.cli.doctor.heartbeat import check_delivery
from incidentio.core.heartbeat import ARRIVED, beat
from incidentio.core.ports import Filters
from tests.trust.cloud import Clients, Cloud, Strike, at
from tests.trust.path import Path


def walk(clients: Clients, cloud: Cloud, *, beats: int) -> Path:
    clients.cloud = cloud
    path = Path(clients, 3)
    for _ in range(beats):
        path.send(json.dumps(beat(path.now)))
        path.settle()
        path.now += timedelta(minutes=5)
    return path


def test_each_comes_through_and_is_over(clients: Clients, capsys: pytest.CaptureFixture[str]) -> None:
    path = walk(clients, Cloud(), beats=3)
    assert len(path.cloud.published) == 3
    assert {page["TopicArn"].rpartition(":")[2] for page in path.cloud.published} == {"test"}
    assert {page["attributes"]["kind"] for page in path.cloud.published} == {"heartbeat"}
    metrics = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "HeartbeatSeconds" in line]
    assert len(metrics) == 3
    assert metrics[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "HeartbeatSeconds", "Unit": "Seconds"}]

    assert path.table.page(Filters()).items == []
    own = [item for (pk, _), item in path.cloud.dynamo.items.items() if pk.startswith("INC#")]
    assert own
    assert all("ttl" in item for item in own)
    incident = path.table.incident(own[0]["pk"]["S"].removeprefix("INC#"))
    assert (incident.status, incident.triaged_as, incident.severity) == ("cancelled", "live", "SEV5")
    (finding,) = check_delivery(path.table, now=path.now)
    assert (finding.verdict, "0 s after it was sent" in finding.what) == ("ok", True)


@pytest.mark.parametrize("strike", [Strike.KILL_BEFORE, Strike.KILL_AFTER])
def test_killed_anywhere_the_next_one_still_comes_through(clients: Clients, strike: Strike) -> None:
    calls = len(walk(clients, Cloud(), beats=1).cloud.calls)
    for number in range(1, calls + 1):
        path = walk(clients, Cloud(hazard=at([number], strike)), beats=2)
        path.cloud.hazard = lambda *_: None
        assert len({page["attributes"]["page_id"] for page in path.cloud.published}) == 2, path.cloud.struck
        assert path.table.page(Filters()).items == []


def test_one_that_is_stuck_is_listed_and_late_ones_are_told_of(clients: Clients) -> None:
    clients.cloud = Cloud(hazard=lambda _, operation: Strike.BROKEN if operation == "Publish" else None)
    path = Path(clients, 3)
    path.send(json.dumps(beat(path.now)))
    path.settle()
    assert [card["kind"] for card in path.table.page(Filters(status="open")).items] == ["heartbeat"]
    (finding,) = check_delivery(path.table, now=path.now)
    assert finding.verdict == "fail"
    path.cloud.hazard = lambda *_: None
    path.settle()
    assert path.table.get(ARRIVED) is not None
    (finding,) = check_delivery(path.table, now=path.now + timedelta(hours=1))
    assert (finding.verdict, "came through" in finding.what) == ("fail", True)


def test_nobody_elses_signal_under_its_key_is_taken_for_real(clients: Clients) -> None:
    clients.cloud = Cloud()
    path = Path(clients, 3)
    forged = beat(path.now)
    forged["detail"] |= {"kind": "real", "severity": "SEV1"}
    path.send(json.dumps(forged))
    path.settle()
    assert {page["TopicArn"].rpartition(":")[2] for page in path.cloud.published} == {"test"}
