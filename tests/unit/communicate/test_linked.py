"""Linked incidents: whoever answers for one hears of the other once, in the call or in a notice, never in both."""

from typing import Any

import pytest

from incidentio.core.signal import Mode
from tests.unit.communicate.conftest import Desk

OTHER = "INC-4M2P8Q"


def linked(desk: Desk, *, hear: bool = True) -> int:
    data: dict[str, Any] = {"incident_id": OTHER, "text": f"linked with {OTHER}"}
    desk.record("IncidentLinked", data=data, related=(OTHER,))
    seq = len(desk.table.entries[desk.incident.id])
    if hear:
        desk.hear(seq)
    return seq


def test_a_link_before_the_first_page_is_said_by_the_page(desk: Desk) -> None:
    desk.open()
    seq = linked(desk)
    assert len(desk.topics) == 0
    desk.triaged()
    desk.hear(seq)
    assert [sent.attributes["event"] for sent in desk.topics.sent] == ["IncidentTriaged"]


def test_a_link_after_the_page_is_a_notice_where_the_page_went(desk: Desk) -> None:
    desk.open()
    desk.triaged()
    seq = linked(desk)
    desk.hear(seq)
    assert [sent.attributes["event"] for sent in desk.topics.on("page")] == ["IncidentTriaged", "IncidentLinked"]
    assert "is linked with another incident" in desk.topics.sent[-1].subject
    assert OTHER in desk.topics.sent[-1].body


def test_a_link_made_while_the_page_was_written_is_told_after_it(desk: Desk) -> None:
    desk.open()
    found: list[int] = []
    desk.topics.on_publish.append(lambda: found.append(linked(desk, hear=False)))
    desk.triaged()
    desk.hear(found[0])
    assert [sent.attributes["event"] for sent in desk.topics.sent] == ["IncidentTriaged", "IncidentLinked"]


@pytest.mark.parametrize("told", [True, False])
def test_who_only_watches_hears_nothing(desk: Desk, told: bool) -> None:
    desk.open(mode=Mode.MONITOR)
    if told:
        desk.triaged(triaged_as="monitor")
    linked(desk)
    assert len(desk.topics) == 0
