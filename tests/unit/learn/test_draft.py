"""The draft: complete, made once, and harmless whatever the signals said."""

import json

import pytest

from incidentio.core import lifecycle
from incidentio.core.catalog import Catalog
from incidentio.core.incident import Incident, SaidImpact, recorded
from incidentio.core.person import Actor
from incidentio.core.ports import Key, Put, Record
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind
from incidentio.core.situation import Similar, Situation, Suspect, situation_write
from incidentio.learn.draft import draft
from tests.fakes import FakeArchive, FakeClock, FakeTable

ALICE = Actor(id="111122223333:user/alice", kind="person")
ID = "INC-7K3F9A"
FOLDER = f"postmortems/2026/03/{ID}"
CATALOG = Catalog.model_validate(
    {"services": {"checkout": {"impact": {"users": 40000, "revenue_per_minute": "120 EUR"}}}}
)


class World:
    def __init__(self) -> None:
        self.table, self.archive, self.clock = FakeTable(), FakeArchive(), FakeClock()

    def opened(self, *, title: str = "checkout 5xx", kind: Kind = Kind.REAL) -> None:
        incident = Incident(
            id=ID,
            title=title,
            severity=Severity.SEV2,
            service="checkout",
            kind=kind,
            correlation_id=ID,
            impact_started_at=self.clock(),
            detected_at=self.clock.advance(seconds=90),
            roles={"scribe": "bob"},
            blast_radius=("orders",),
        )
        change = recorded(incident, "IncidentTriggered", actor=ALICE, at=self.clock(), text=title, lifecycle=True)
        self.table.commit(change)

    def moved(self, command: str, **more: object) -> None:
        at = self.clock.advance(minutes=5)
        self.table.commit(getattr(lifecycle, command)(self.incident, actor=ALICE, at=at, **more))

    def drafted(self) -> Incident | None:
        return draft(ID, table=self.table, archive=self.archive, catalog=CATALOG, clock=self.clock)

    @property
    def incident(self) -> Incident:
        return self.table.incidents[ID]

    @property
    def markdown(self) -> str:
        return self.archive.versions[f"{FOLDER}/draft.md"][-1].decode()


@pytest.fixture
def world() -> World:
    return World()


def test_a_resolved_incident_gets_a_draft_for_people_and_programs(world: World) -> None:
    world.opened()
    world.moved("mitigate")
    world.moved("resolve")
    incident = world.drafted()
    assert incident is not None
    assert (incident.postmortem, incident.postmortem_key) == ("draft", f"{FOLDER}/draft.md")
    entry = world.table.entries[ID][-1]
    assert entry.type == "PostmortemDrafted"
    assert entry.data["json"] in world.archive
    for expected in (
        "# Postmortem INC-7K3F9A: checkout 5xx", "## Summary", "## Impact", "6m30s", "40000", "120 EUR", "orders",
        "| MTTD | impact started | detected | 1m30s |", "| MTTA | first page sent | acknowledged | not known |",
        "## Playbook runs", "## Timeline", "## Contributing factors", "## Action items", "scribe bob",
    ):  # fmt: skip
        assert expected in world.markdown
    document = json.loads(world.archive.versions[f"{FOLDER}/draft.json"][0])
    assert document["clocks"] == {"mttd": 90.0, "mtta": None, "mttm": 300.0, "mttr": 600.0}
    assert [m["type"] for m in document["timeline"]] == ["IncidentTriggered", "IncidentMitigated", "IncidentResolved"]
    assert document["contributing_factors"] == document["action_items"] == []


def test_what_triage_found_and_what_a_person_says_of_the_impact_is_told(world: World) -> None:
    world.opened()
    at = world.clock()
    suspect = Suspect(
        id="d-1", what="x", kind="deploy", service="checkout", at=at, minutes=6, score=76, why="own *one*"
    )
    past = Similar(incident_id="INC-0000A1", title="5xx", service=None, at=at, score=82, why="", fixed_by="rolled back")
    world.table.write(situation_write(ID, Situation(suspects=(suspect,), similar=(past,))))
    said = {"related": ("INC-4M2P8Q",), "impact": SaidImpact(users=312)}
    world.table.commit(recorded(world.incident, "IncidentUpdated", actor=ALICE, at=at, text="x", **said))
    world.moved("resolve")
    world.drafted()
    for expected in (
        "- Users: 312 (as a person said)",
        "- Revenue: 780 EUR (estimate from the catalogue; 120 EUR a minute)",
        "- Suspect: deploy of checkout (x) 6 min before impact (76 of 100: own \\*one\\*)",
        "- Linked incidents: INC-4M2P8Q",
        "- Similar: INC-0000A1 of 2026-03-01 (82 %), 5xx; then: rolled back",
    ):
        assert expected in world.markdown


def test_playbook_runs_show_before_and_after(world: World) -> None:
    world.opened()
    run = {
        "run_id": "RUN-7K3F9A-ABCDEFGH", "playbook": "throttle-function", "version": "1.2.0", "status": "succeeded",
        "target": "AWS::Lambda::Function|1|eu|checkout", "requester": {"id": "alice", "kind": "person"},
        "approvals": [{"actor": {"id": "bob", "kind": "person"}, "decision": "approve"}], "outcome": "succeeded",
        "steps": [
            {"n": 1, "action": "set-reserved-concurrency", "status": "applied", "before": None, "after": 10},
            {"n": 2, "action": "wait", "kind": "wait", "status": "done", "summary": "waited 60 s"},
            {"n": 3, "action": "manual", "kind": "manual", "status": "done", "summary": "done by bob: Tell the shop"},
            {"n": 4, "action": "disable-rule", "status": "skipped", "before": None, "after": None},
        ],
        "targets": ["AWS::Lambda::Function|1|eu|checkout", "AWS::Lambda::Function|1|eu|orders"],
        "lease": {"status": "open"},
    }  # fmt: skip
    requested = recorded(world.incident, "PlaybookRequested", actor=ALICE, at=world.clock(), text="run", runs=1)
    world.table.commit(requested, Put(Record(Key(f"INC#{ID}", f"RUN#{run['run_id']}"), run)))
    world.moved("resolve")
    world.drafted()
    assert (
        "| throttle-function 1.2.0 | checkout, orders | alice | bob | succeeded "
        "| set-reserved-concurrency: not set → 10 (applied); done by bob: Tell the shop (done); lease open |"
    ) in world.markdown


def test_a_very_long_timeline_is_told_from_both_ends(world: World) -> None:
    world.opened()
    for n in range(2, 2502):
        world.table.commit(recorded(world.incident, "NoteAdded", actor=ALICE, at=world.clock(), text=f"note {n}"))
    world.moved("resolve")
    world.drafted()
    assert "502 entries in the middle are left out" in world.markdown
    assert "| note 1000 |" in world.markdown
    assert "| note 1001 |" not in world.markdown


def test_a_repeated_event_drafts_once(world: World) -> None:
    world.opened()
    world.moved("resolve")
    assert world.drafted()
    assert world.drafted() is None
    assert len(world.archive) == 2
    assert world.table.types(ID).count("PostmortemDrafted") == 1


def test_two_at_once_draft_once(world: World) -> None:
    world.opened()
    world.moved("resolve")
    world.table.before_commit.append(world.drafted)
    world.drafted()
    assert world.table.types(ID).count("PostmortemDrafted") == 1


def test_resolved_again_is_drafted_again(world: World) -> None:
    world.opened()
    world.moved("resolve")
    world.drafted()
    world.moved("reopen", window=world.table.routing.reopen_window)
    assert world.drafted() is None
    world.moved("resolve")
    assert world.drafted()
    assert len(world.archive.versions[f"{FOLDER}/draft.md"]) == 2
    first, second = [e.text for e in world.table.timeline(ID) if e.type == "PostmortemDrafted"]
    assert first.startswith("postmortem drafted: ")
    assert second.startswith("postmortem drafted anew: ")


@pytest.mark.parametrize("type", ["LeaseRestored", "ForeignChangeFound"])
def test_what_was_given_back_after_the_draft_is_in_the_next_one(world: World, type: str) -> None:
    world.opened()
    world.moved("resolve")
    world.drafted()
    world.table.commit(recorded(world.incident, type, actor=ALICE, at=world.clock(), text="given back: 10 → not set"))
    assert world.drafted()
    assert world.drafted() is None
    assert "given back: 10 → not set" in world.markdown


def test_a_note_after_the_draft_makes_no_new_one(world: World) -> None:
    world.opened()
    world.moved("resolve")
    world.drafted()
    world.table.commit(recorded(world.incident, "NoteAdded", actor=ALICE, at=world.clock(), text="calm"))
    assert world.drafted() is None


def test_an_event_of_the_past_drafts_nothing(world: World) -> None:
    world.opened()
    assert world.drafted() is None
    assert len(world.archive) == 0


@pytest.mark.parametrize(("type", "settled"), [("PostmortemWaived", "waived"), ("PostmortemReviewed", "reviewed")])
def test_what_people_settled_first_stays(world: World, type: str, settled: str) -> None:
    world.opened()
    world.moved("resolve")
    world.table.commit(
        recorded(world.incident, type, actor=ALICE, at=world.clock(), text="settled", postmortem=settled)
    )
    world.table.commit(recorded(world.incident, "LeaseRestored", actor=ALICE, at=world.clock(), text="given back"))
    assert world.drafted() is None
    assert world.incident.postmortem == settled


def test_a_drill_is_marked_and_a_heartbeat_is_not_drafted(world: World) -> None:
    world.opened(kind=Kind.DRILL)
    world.moved("resolve")
    world.drafted()
    assert world.markdown.startswith(f"# Postmortem {ID} (drill): ")
    other = World()
    other.opened(kind=Kind.HEARTBEAT)
    other.moved("resolve")
    assert other.drafted() is None


def test_the_chain_is_named_by_the_next_anchor(world: World) -> None:
    world.opened()
    world.moved("resolve")
    world.drafted()
    assert [key.sk for key, _ in world.table.query("ANCHORS")] == [ID]
