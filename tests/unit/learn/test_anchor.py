"""Anchors: first write wins, all open incidents are named, and those that ended once more."""

import json
from datetime import timedelta

from incidentio.core.archive import Retention, anchor_due, anchor_key
from incidentio.core.incident import Incident, recorded
from incidentio.core.lifecycle import resolve
from incidentio.core.person import SYSTEM
from incidentio.core.severity import Severity
from incidentio.learn.anchor import anchor
from tests.fakes import FakeArchive, FakeClock, FakeTable

CLOCK = FakeClock()
AT = CLOCK()


def opened(table: FakeTable, incident_id: str) -> Incident:
    incident = Incident(id=incident_id, title="x", severity=Severity.SEV3, impact_started_at=AT, detected_at=AT)
    table.commit(recorded(incident, "IncidentTriggered", actor=SYSTEM, at=AT, text="x"))
    return table.incidents[incident_id]


def ended(table: FakeTable, incident_id: str) -> None:
    change = resolve(table.incidents[incident_id], actor=SYSTEM, at=AT)
    table.commit(change, anchor_due(incident_id, AT))


def anchored(table: FakeTable, archive: FakeArchive, *, hours: int = 0) -> dict[str, dict[str, object]] | None:
    at = AT + timedelta(hours=hours)
    key = anchor(table=table, archive=archive, retention=Retention("COMPLIANCE", at + timedelta(days=1)), at=at)
    if key is None:
        return None
    assert key == anchor_key(at)
    return dict(json.loads(archive.versions[key][-1])["incidents"])


def test_open_incidents_are_named_with_the_head_of_their_chain() -> None:
    table, archive = FakeTable(), FakeArchive()
    for n in range(120):
        opened(table, f"INC-{n:06d}")
    named = anchored(table, archive)
    assert named is not None
    assert len(named) == 120
    head = table.incidents["INC-000007"]
    assert named["INC-000007"] == {"seq": 1, "head_hash": head.head_hash}
    assert archive.locks["anchors/2026/03/01/12.json"].mode == "COMPLIANCE"


def test_what_ended_is_named_once_more_and_then_no_more() -> None:
    table, archive = FakeTable(), FakeArchive()
    opened(table, "INC-000001")
    opened(table, "INC-000002")
    ended(table, "INC-000001")
    named = anchored(table, archive)
    assert named is not None
    assert named["INC-000001"]["seq"] == 2
    later = anchored(table, archive, hours=1)
    assert later is not None
    assert set(later) == {"INC-000002"}


def test_the_first_anchor_of_an_hour_stays() -> None:
    table, archive = FakeTable(), FakeArchive()
    opened(table, "INC-000001")
    assert anchored(table, archive)
    ended(table, "INC-000001")
    assert anchored(table, archive) is None
    later = anchored(table, archive, hours=1)
    assert later is not None
    assert later["INC-000001"]["seq"] == 2


def test_what_changed_while_the_anchor_was_written_waits_for_the_next() -> None:
    table, archive = FakeTable(), FakeArchive()
    opened(table, "INC-000001")
    ended(table, "INC-000001")

    class Slow(FakeArchive):
        def put(self, *args: object, **kwargs: object) -> str | None:
            table.write(anchor_due("INC-000001", AT + timedelta(minutes=1)))
            return archive.put(*args, **kwargs)  # type: ignore[arg-type]

    retention = Retention("GOVERNANCE", AT)
    assert anchor(table=table, archive=Slow(), retention=retention, at=AT)
    assert [key.sk for key, _ in table.query("ANCHORS")] == ["INC-000001"]


def test_nothing_to_anchor_writes_nothing() -> None:
    archive = FakeArchive()
    assert anchored(FakeTable(), archive) is None
    assert len(archive) == 0
