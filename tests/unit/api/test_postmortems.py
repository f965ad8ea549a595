"""Reading, reviewing and waiving postmortems."""

from datetime import timedelta
from hashlib import sha256

import pytest

from incidentio.core.catalog import Catalog
from incidentio.learn.draft import draft
from tests.unit.api.conftest import World


def resolved(world: World, *, drafted: bool = True) -> str:
    incident_id = world.opened(severity="SEV1")
    world.alice.post(f"/incidents/{incident_id}/resolve")
    if drafted:
        draft(incident_id, table=world.table, archive=world.archive, catalog=Catalog(), clock=world.clock)
    return incident_id


def test_the_draft_is_there_for_people_and_programs(world: World) -> None:
    incident_id = resolved(world)
    found = world.alice.get(f"/incidents/{incident_id}/postmortem")
    assert found["status"] == "draft"
    assert incident_id in found["markdown"]
    assert found["document"]["incident_id"] == incident_id
    assert found["key"] == f"postmortems/2026/03/{incident_id}/draft.md"


def test_before_it_is_drafted_there_is_none(world: World) -> None:
    answer = world.alice.call("GET", f"/incidents/{resolved(world, drafted=False)}/postmortem")
    assert answer.status == 404
    assert "yet" in answer.error["message"]


def test_a_review_is_locked_and_recorded(world: World) -> None:
    incident_id = resolved(world)
    text = "# Postmortem\n\nThe key AKIAIOSFODNN7EXAMPLE was in the log.\n"
    reviewed = world.bob.post(f"/incidents/{incident_id}/postmortem/review", {"markdown": text})
    assert reviewed["postmortem"] == "reviewed"
    key = f"postmortems/2026/03/{incident_id}/reviewed.md"
    stored = world.archive.get(key)
    assert stored is not None
    assert b"AKIA" not in stored
    assert world.archive.locks[key].mode == "GOVERNANCE"
    assert world.archive.locks[key].until == world.clock() + timedelta(days=30)
    entry = world.last(incident_id)
    assert entry.type == "PostmortemReviewed"
    assert entry.data["key"] == key
    assert entry.data["version_id"] == "v1"
    assert entry.data["sha256"] == sha256(stored).hexdigest()
    found = world.alice.get(f"/incidents/{incident_id}/postmortem")
    assert (found["status"], found["markdown"], found["document"]) == ("reviewed", stored.decode(), None)


def test_the_draft_is_no_review(world: World) -> None:
    path = f"/incidents/{resolved(world)}/postmortem"
    text = world.alice.get(path)["markdown"]
    before = len(world.archive)
    for unfinished in (text, text + "\nReviewed.\n"):
        answer = world.bob.call("POST", f"{path}/review", {"markdown": unfinished})
        assert (answer.status, answer.error["code"]) == (400, "invalid_input")
        assert answer.error["details"]["sections"] == ["Contributing factors", "Action items"]
        assert "to fill in: Contributing factors, Action items" in answer.error["message"]
    assert len(world.archive) == before
    filled = "\n".join(line for line in text.splitlines() if not line.startswith("*To fill in"))
    assert world.bob.post(f"{path}/review", {"markdown": filled})["postmortem"] == "reviewed"


def test_a_repeated_review_is_one_version(world: World) -> None:
    incident_id = resolved(world)
    for _ in range(2):
        world.bob.post(f"/incidents/{incident_id}/postmortem/review", {"markdown": "# x"}, Idempotency_Key="k")
    assert len(world.archive.versions[f"postmortems/2026/03/{incident_id}/reviewed.md"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("review", {}, 400),
        ("review", {"markdown": ""}, 400),
        ("review", {"markdown": "x" * 600_000}, 413),
        ("waive", {}, 400),
        ("waive", {"reason": ""}, 400),
        ("waive", {"reason": "x" * 5000}, 413),
    ],
)
def test_wrong_bodies(world: World, path: str, body: dict[str, str], status: int) -> None:
    incident_id = resolved(world)
    assert world.alice.call("POST", f"/incidents/{incident_id}/postmortem/{path}", body).status == status
    assert world.stored(incident_id).postmortem == "draft"


def test_nothing_is_settled_while_the_incident_is_open(world: World) -> None:
    path = f"/incidents/{world.opened()}/postmortem"
    assert world.alice.call("POST", f"{path}/review", {"markdown": "x"}).status == 409
    assert world.alice.call("POST", f"{path}/waive", {"reason": "x"}).status == 409
    assert len(world.archive) == 0


def test_a_stale_review_stores_nothing(world: World) -> None:
    incident_id = resolved(world)
    before = len(world.archive)
    path = f"/incidents/{incident_id}/postmortem/review"
    assert world.alice.call("POST", path, {"markdown": "x"}, If_Match="1").status == 409
    assert len(world.archive) == before


def test_a_reviewed_postmortem_is_not_waived(world: World) -> None:
    path = f"/incidents/{resolved(world)}/postmortem"
    world.bob.post(f"{path}/review", {"markdown": "x"})
    assert world.bob.call("POST", f"{path}/waive", {"reason": "no need"}).status == 409
