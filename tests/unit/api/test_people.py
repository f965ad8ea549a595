"""Notes, roles and severity."""

import pytest

from tests.unit.api.conftest import World


def test_a_note_is_kept_redacted_and_moves_no_version(world: World) -> None:
    incident_id = world.opened()
    noted = world.bob.post(f"/incidents/{incident_id}/notes", {"text": "line 1\nAKIAIOSFODNN7EXAMPLE"}, If_Match="1")
    assert noted["version"] == 1
    entry = world.last(incident_id)
    assert entry.type == "NoteAdded"
    assert entry.data["note"] == "line 1\n[redacted:aws-key]"


@pytest.mark.parametrize(("text", "status"), [("", 400), ("  \n ", 400), ("x" * 4096, 200), ("x" * 4097, 413)])
def test_the_limits_of_a_note(world: World, text: str, status: int) -> None:
    assert world.alice.call("POST", f"/incidents/{world.opened()}/notes", {"text": text}).status == status


def test_roles(world: World) -> None:
    path = f"/incidents/{world.opened()}/roles"
    assert world.alice.post(path, {"role": "scribe"})["roles"] == {"scribe": "111122223333:user/alice"}
    both = world.alice.post(path, {"role": "incident_commander", "person": "bob"})
    assert both["roles"] == {"scribe": "111122223333:user/alice", "incident_commander": "bob"}
    assert world.alice.post(path, {"role": "incident_commander", "person": "bob"})["version"] == both["version"]
    wrong = world.alice.call("POST", path, {"role": "king"})
    assert wrong.status == 400
    assert "incident_commander" in wrong.error["message"]


def test_a_persons_severity_stays(world: World) -> None:
    incident_id = world.opened()
    path = f"/incidents/{incident_id}/severity"
    raised = world.alice.post(path, {"severity": "P1", "reason": "all of checkout"})
    assert (raised["severity"], raised["version"]) == ("SEV1", 2)
    assert world.stored(incident_id).severity_set
    assert world.last(incident_id).data["why"].startswith("all of checkout")
    assert world.alice.call("POST", path, {"severity": "SEV2"}).status == 400
    assert world.alice.call("POST", path, {"severity": "SEV2", "reason": " "}).status == 400


def test_the_severity_of_what_is_closed_stays(world: World) -> None:
    incident_id = world.opened()
    world.alice.post(f"/incidents/{incident_id}/cancel", {"reason": "test"})
    answer = world.alice.call("POST", f"/incidents/{incident_id}/severity", {"severity": "SEV1", "reason": "late"})
    assert answer.status == 409


def test_confirming_a_guess_makes_it_a_decision(world: World) -> None:
    incident_id = world.opened()
    path = f"/incidents/{incident_id}/severity"
    confirmed = world.alice.post(path, {"severity": "SEV3", "reason": "few users"})
    assert (confirmed["severity"], confirmed["version"]) == ("SEV3", 2)
    assert world.last(incident_id).type == "IncidentUpdated"
    assert world.alice.post(path, {"severity": "SEV3", "reason": "few users"})["version"] == 2
