"""What triage finds around an incident: written once, beside the summary, and never a reason to wait or to fail."""

from datetime import timedelta
from typing import Any

import pytest

from incidentio.core import lifecycle
from incidentio.core.changes import ChangeRecord, change_write
from incidentio.core.errors import Unavailable
from incidentio.core.filed import filed, filing
from incidentio.core.incident import recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Key, Put, Record
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from incidentio.core.situation import Situation, situation_of
from tests.make import ALICE, an_incident
from tests.unit.triage.conftest import ARN, CATALOG, ID, REASON, Room, bundle_of, subject

OTHER = "INC-4M2P8Q"


@pytest.fixture
def shop(room: Room) -> Room:
    """web → checkout → orders-db; the room's incident is checkout's."""
    room.bundle = bundle_of(CATALOG)
    return room


def deploy(room: Room, service: str | None, minutes: float, **fields: Any) -> None:
    at = room.clock() - timedelta(minutes=minutes)
    change = ChangeRecord(id=f"d-{service}", source="deploys", service=service, what="deployment", at=at, **fields)
    room.table.write(change_write(change))


def another(room: Room, *, minutes: float = 5, **fields: Any) -> None:
    """Another incident, triaged and filed as triage does."""
    incident = an_incident(
        **{"id": OTHER, "service": "orders-db", "severity": Severity.SEV3, "title": "orders-db disk",
           "detected_at": room.clock() - timedelta(minutes=minutes), **fields}
    )  # fmt: skip
    room.table.commit(recorded(incident, "IncidentTriggered", actor=SYSTEM, at=room.clock(), text="fires"))
    room.table.write(filing(filed(incident, incident.service, REASON)))


def found(room: Room) -> Situation:
    situation = situation_of(room.table, ID)
    assert situation is not None
    return situation


def test_changes_of_the_service_and_what_it_depends_on_are_suspects(shop: Room) -> None:
    deploy(shop, "checkout", 8, version="v42", actor="ana")
    deploy(shop, "orders-db", 4)
    deploy(shop, "web", 4)
    shop.open()
    shop.triage()
    assert [(s.service, s.score) for s in found(shop).suspects] == [("checkout", 76), ("orders-db", 64)]
    assert "suspect: deploy v42 of checkout 6 min before impact, by ana (76 of 100" in shop.table.entries[ID][-1].text
    assert shop.last["suspects"][0]["id"] == "d-checkout"


def test_two_incidents_along_the_dependencies_know_of_each_other(shop: Room) -> None:
    another(shop)
    shop.open()
    incident = shop.triage()
    assert (incident.related, incident.version) == ((OTHER,), 2)
    assert shop.table.types(ID) == ["IncidentTriggered", "IncidentLinked", "IncidentTriaged"]
    other = shop.table.incident(OTHER)
    assert (other.related, other.version) == ((ID,), 1)
    entry = shop.table.entries[OTHER][-1]
    assert entry.type == "IncidentLinked"
    assert entry.text == f"linked with {ID} (checkout, SEV1: checkout-5xx): checkout depends on orders-db"
    assert shop.triage() == incident
    assert shop.table.incident(OTHER) == other


def test_a_crash_after_the_other_side_was_linked_is_made_good(shop: Room) -> None:
    another(shop)
    shop.open()
    commit, shop.table.commit = (
        shop.table.commit,
        lambda change, *writes: (  # type: ignore[method-assign]
            commit(change, *writes) if change.incident.id == OTHER else (_ for _ in ()).throw(Unavailable("down"))
        ),
    )
    with pytest.raises(Unavailable):
        shop.triage()
    shop.table.commit = commit  # type: ignore[method-assign]
    assert shop.triage().related == (OTHER,)
    assert shop.table.types(OTHER) == ["IncidentTriggered", "IncidentLinked"]


@pytest.mark.parametrize(
    "fields",
    [
        {"service": "somewhere-else"},
        {"service": "checkout"},
        {"mode": Mode.MONITOR},
        {"minutes": 31},
        {"kind": "drill"},
    ],
)
def test_what_is_not_linked(shop: Room, fields: dict[str, Any]) -> None:
    another(shop, **fields)
    shop.open()
    assert shop.triage().related == ()
    assert shop.table.types(OTHER) == ["IncidentTriggered"]


def test_a_watched_incident_is_linked_once_it_is_live(shop: Room) -> None:
    another(shop)
    shop.open(mode=Mode.MONITOR)
    assert shop.triage().related == ()
    live = {"mode": Mode.LIVE, "lifecycle": True}
    shop.table.commit(
        recorded(shop.table.incident(ID), "IncidentPromoted", actor=SYSTEM, at=shop.clock(), text="live", **live)
    )
    assert shop.triage().related == (OTHER,)


def past(room: Room, id: str, *, note: str = "", cancelled: str = "", playbook: str = "", **fields: Any) -> None:
    about = subject()
    incident = an_incident(
        **{"id": id, "service": "checkout", "subject": about, "title": about.alarm_name, "runs": bool(playbook),
           "detected_at": room.clock() - timedelta(days=9), **fields}
    )  # fmt: skip
    room.table.commit(recorded(incident, "IncidentTriggered", actor=SYSTEM, at=room.clock(), text="fires"))
    room.table.write(filing(filed(incident, incident.service, REASON)))
    if playbook:
        body = {"run_id": "r", "playbook": playbook, "version": "1.2.0", "outcome": "succeeded"}
        room.table.write(Put(Record(Key(f"INC#{id}", "RUN#r"), body)))
    ended = (
        lifecycle.cancel(room.table.incident(id), actor=ALICE, at=room.clock(), reason=cancelled)
        if cancelled
        else lifecycle.resolve(room.table.incident(id), actor=ALICE, at=room.clock(), note=note)
    )
    room.table.commit(ended)


def test_a_similar_incident_says_what_fixed_it_then(shop: Room) -> None:
    past(shop, "INC-0000A1", note="rolled back v41", playbook="throttle-function")
    past(shop, "INC-0000A2", cancelled="false_positive", detected_at=shop.clock() - timedelta(days=20))
    past(shop, "INC-0000A3", title="certificate expires soon", subject=subject("certificate"))
    shop.open()
    shop.triage()
    best, *others = found(shop).similar
    assert (best.incident_id, best.score) == ("INC-0000A1", 100)
    assert best.why.startswith("the same alarm; words in common: ")
    assert best.fixed_by == "playbook throttle-function 1.2.0; rolled back v41"
    assert ("INC-0000A2", "nothing to fix: cancelled as false_positive") in [
        (s.incident_id, s.fixed_by) for s in others
    ]
    assert shop.last["similar"][0]["incident_id"] == "INC-0000A1"


def test_many_that_are_open_hide_no_past_one(shop: Room) -> None:
    past(shop, "INC-0000A1", note="rolled back v41")
    for n in range(20):
        about = subject()
        fields = {"service": "checkout", "subject": about, "title": about.alarm_name, "detected_at": shop.clock()}
        incident = an_incident(id=f"INC-0000B{n}", **fields)
        shop.table.commit(recorded(incident, "IncidentTriggered", actor=SYSTEM, at=shop.clock(), text="fires"))
        shop.table.write(filing(filed(incident, "checkout", REASON)))
    shop.open()
    shop.triage()
    assert [s.incident_id for s in found(shop).similar] == ["INC-0000A1"]


def test_an_open_incident_is_no_past_one(shop: Room) -> None:
    another(shop, service="checkout", title="checkout-5xx", subject=subject())
    shop.open()
    shop.triage()
    assert found(shop).similar == ()


def test_a_signal_that_joins_costs_no_second_look(shop: Room) -> None:
    shop.open()
    shop.triage()
    deploy(shop, "checkout", 1)
    before = shop.table.calls
    shop.triage()
    assert shop.table.calls - before <= 4
    assert found(shop).suspects == ()


def test_who_corrects_the_service_gets_the_suspects_of_the_right_one(shop: Room) -> None:
    deploy(shop, "orders-db", 8)
    shop.open()
    shop.triage()
    said = {"service": "orders-db", "given": ("service",), "lifecycle": True}
    shop.table.commit(
        recorded(shop.table.incident(ID), "IncidentUpdated", actor=ALICE, at=shop.clock(), text="x", **said)
    )
    incident = shop.triage()
    assert incident.blast_radius == ("checkout", "web")
    assert [s.why.split(",")[0] for s in found(shop).suspects] == ["own service (+40)"]
    assert shop.triage() == incident


def test_the_summary_stays_small(shop: Room) -> None:
    deploy(shop, "checkout", 8, version="v42", actor="ana")
    past(shop, "INC-0000A1", note="rolled back v41")
    shop.open()
    incident = shop.triage()
    assert not {"suspects", "similar", "situation"} & incident.model_dump(exclude_defaults=True).keys()


def test_what_cannot_be_read_is_named_and_triage_goes_on(shop: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.open()
    asked = shop.table.query

    def refused(pk: str, *rest: Any, **more: Any) -> Any:
        if pk.startswith(("SERVICE#", "CHANGES#")):
            raise Unavailable("throttled")
        return asked(pk, *rest, **more)

    monkeypatch.setattr(shop.table, "query", refused)
    assert shop.triage().triaged_as == "live"
    assert "reading the incidents of checkout: throttled" in shop.last["missing"]
    assert "lookups" in shop.last["gaps"]


def test_ids_in_the_signal_are_kept(shop: Room) -> None:
    shop.open(tags={"trace": "1-5759e988-bd862e3fe1be46a994272793"})
    shop.triage()
    assert found(shop).traces == {"xray_trace_id": ("1-5759e988-bd862e3fe1be46a994272793",)}
    assert ARN not in str(found(shop).traces)
