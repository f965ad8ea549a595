"""The queue keeps no order: an acknowledgement counts for the firing it was meant for, and for no other."""

import json
from itertools import permutations
from typing import Any

import pytest

from incidentio.core.incident import Status
from tests.unit.ingest.doors import Desk, notification, signal
from tests.unit.ingest.test_inhibition import desk_with, incident_of, told


def fires(desk: Desk, second: float, state: str = "firing", **fields: Any) -> str:
    return notification(signal(state, desk.at(second), dedup_key="disk", **fields))


def ack(desk: Desk, second: float, key: str = "disk") -> str:
    at = desk.at(second).isoformat()
    return json.dumps({"incidentio": "ack/v1", "integration": "pd", "dedup_key": key, "at": at})


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_it_counts_whatever_overtakes_it(order: tuple[int, ...]) -> None:
    desk = Desk()
    sent = [fires(desk, 0), ack(desk, 5), fires(desk, 10), fires(desk, 20, "ok")]
    waiting = [sent[n] for n in order]
    for _ in range(2):
        waiting = [body for body in waiting if desk(body).failed]
    overtaken = order.index(3) < min(order.index(0), order.index(2))  # then it is over before it is an incident
    assert [i.status for i in desk.incidents] == ([] if overtaken else [Status.ACKNOWLEDGED])


def test_it_counts_in_one_delivery_with_the_repetition_that_came_after_it() -> None:
    desk = Desk()
    assert desk(fires(desk, 0), ack(desk, 5), fires(desk, 10)).counts == {"new": 2, "acknowledged": 1}


def test_it_counts_when_what_it_is_about_was_overtaken_by_a_milder_one() -> None:
    desk = Desk()
    desk(fires(desk, 10, severity="SEV3"))
    assert desk(ack(desk, 5)).failed == ["m0"], "its signal may be on the way"
    assert desk(fires(desk, 0, severity="SEV1")).counts == {"worsened": 1}
    assert desk(ack(desk, 5)).counts == {"acknowledged": 1}


def test_one_from_before_all_that_is_known_is_let_go_after_a_while() -> None:
    desk = Desk()
    desk(fires(desk, 10))
    desk.clock.advance(minutes=3)
    assert desk(ack(desk, 5)).counts == {"ack_stale": 1}
    assert desk.incident.status is Status.TRIGGERED


def test_one_from_before_a_person_resolved_it_does_not_silence_what_reopens_it() -> None:
    desk = Desk()
    desk(fires(desk, 0))
    desk.end(desk.incident.id)
    desk(fires(desk, 20))
    desk.clock.advance(minutes=3)
    assert desk(ack(desk, 5)).counts == {"ack_stale": 1}
    assert desk.incident.status is Status.TRIGGERED


def test_one_of_what_is_silent_does_not_take_the_incident_of_what_inhibits_it() -> None:
    desk = desk_with()
    desk(told(desk, "firing", "az-down", 0))
    desk(told(desk, "firing", "host-down", 5))
    desk.clock.advance(minutes=3)
    assert desk(ack(desk, 6, "host-down/a")).counts == {"ack_without_incident": 1}
    assert incident_of(desk, "az-down").status is Status.TRIGGERED
    assert desk(ack(desk, 7, "az-down/a")).counts == {"acknowledged": 1}
