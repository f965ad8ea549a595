"""Moving incidents: legal and illegal, once and twice, first and second."""

import pytest

from incidentio.core.incident import recorded
from incidentio.core.members import member_key, pointer_key
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Put, Record
from tests.unit.api.conftest import World


def test_the_whole_life(world: World) -> None:
    incident_id = world.opened(severity="SEV3")
    path = f"/incidents/{incident_id}"
    for verb, status in [("acknowledge", "acknowledged"), ("mitigate", "mitigated"), ("resolve", "resolved")]:
        moved = world.alice.post(f"{path}/{verb}", {"note": f"so {verb}"})
        assert moved["status"] == status
        assert world.last(incident_id).data["note"] == f"so {verb}"
    assert world.bob.post(f"{path}/close")["status"] == "closed"
    assert world.table.types(incident_id) == [
        "IncidentTriggered", "IncidentAcknowledged", "IncidentMitigated", "IncidentResolved", "IncidentClosed",
    ]  # fmt: skip


def test_an_illegal_transition_names_status_version_and_what_is_legal(world: World) -> None:
    incident_id = world.opened()
    answer = world.alice.call("POST", f"/incidents/{incident_id}/close", {})
    assert (answer.status, answer.error["code"]) == (409, "illegal_transition")
    assert answer.error["details"] == {
        "status": "triggered",
        "version": 1,
        "legal": ["acknowledged", "mitigated", "resolved", "cancelled", "merged"],
    }


def test_if_match(world: World) -> None:
    path = f"/incidents/{world.opened()}/acknowledge"
    stale = world.alice.call("POST", path, {}, If_Match="7")
    assert (stale.status, stale.error["code"]) == (409, "version_conflict")
    assert stale.error["details"]["version"] == 1
    for junk in ("soon", "-1", "", "1.0", "99999999999"):
        answer = world.alice.call("POST", path, {}, If_Match=junk)
        assert answer.status == 400, junk
        assert "version" in answer.error["message"]
    assert world.alice.call("POST", path, {}, If_Match='W/"1"').status == 200


def test_a_repeat_with_the_same_key_acts_once(world: World) -> None:
    incident_id = world.opened()
    path = f"/incidents/{incident_id}/acknowledge"
    codes = [world.alice.call("POST", path, {}, Idempotency_Key="k", If_Match="1").status for _ in range(3)]
    assert codes == [200, 200, 200]
    assert world.table.types(incident_id).count("IncidentAcknowledged") == 1
    reused = world.alice.call("POST", path, {"note": "other"}, Idempotency_Key="k")
    assert reused.status == 409
    assert world.alice.call("POST", path.replace("acknowledge", "resolve"), {}, Idempotency_Key="k").status == 200


def test_the_slower_of_two_is_judged_on_what_is_stored(world: World) -> None:
    incident_id = world.opened()
    path = f"/incidents/{incident_id}/acknowledge"
    world.table.before_commit.append(lambda: world.bob.post(path))
    answer = world.alice.call("POST", path, {})
    assert answer.error["details"]["status"] == "acknowledged"


def test_without_a_caller_nothing_is_written(world: World) -> None:
    incident_id = world.opened()
    world.alice.arn = ""
    assert world.alice.call("POST", f"/incidents/{incident_id}/acknowledge", {}).status == 403


@pytest.mark.parametrize(("verb", "body"), [("resolve", {}), ("cancel", {"reason": "false_positive"})])
def test_an_end_closes_the_pointers_and_asks_for_an_anchor(world: World, verb: str, body: dict[str, str]) -> None:
    incident_id = world.opened()
    world.table.commit(
        recorded(world.stored(incident_id), "SignalJoined", actor=SYSTEM, at=world.clock(), text="joined", members=1),
        Put(Record(member_key(incident_id, "a"), {"dedup_key": "a", "state": "firing"})),
        Put(Record(pointer_key("a"), {"open": True, "incident_id": incident_id, "state": "firing"})),
    )
    world.alice.post(f"/incidents/{incident_id}/{verb}", body)
    assert world.table.records[pointer_key("a")]["open"] is False
    assert [key.sk for key, _ in world.table.query("ANCHORS")] == [incident_id]


def test_reopening_opens_the_pointers_and_counts_what_fires(world: World) -> None:
    incident_id = world.opened()
    world.table.commit(
        recorded(world.stored(incident_id), "SignalJoined", actor=SYSTEM, at=world.clock(), text="joined", members=2),
        *(Put(Record(member_key(incident_id, k), {"dedup_key": k})) for k in "ab"),
        Put(Record(pointer_key("a"), {"open": True, "incident_id": incident_id, "state": "firing"})),
        Put(Record(pointer_key("b"), {"open": True, "incident_id": incident_id, "state": "ok"})),
    )
    world.alice.post(f"/incidents/{incident_id}/resolve")
    reopened = world.alice.post(f"/incidents/{incident_id}/reopen", {"note": "it is back"})
    assert (reopened["status"], reopened["members"], reopened["firing"]) == ("triggered", 2, 1)
    assert world.table.records[pointer_key("a")]["open"] is True


def test_reopening_too_late_is_refused(world: World) -> None:
    incident_id = world.opened()
    world.alice.post(f"/incidents/{incident_id}/resolve")
    world.clock.advance(minutes=16)
    answer = world.alice.call("POST", f"/incidents/{incident_id}/reopen", {})
    assert answer.status == 409
    assert "new incident" in answer.error["message"]


def test_cancelling_wants_a_known_reason(world: World) -> None:
    path = f"/incidents/{world.opened()}/cancel"
    assert "false_positive" in world.alice.call("POST", path, {"reason": "bored"}).error["message"]
    assert world.alice.post(path, {"reason": "duplicate"})["resolution_reason"] == "duplicate"


def test_a_severe_incident_closes_only_with_a_settled_postmortem(world: World) -> None:
    path = f"/incidents/{world.opened(severity='SEV2')}"
    world.alice.post(f"{path}/resolve")
    refused = world.alice.call("POST", f"{path}/close", {})
    assert refused.status == 409
    assert "postmortem" in refused.error["message"]
    world.alice.post(f"{path}/postmortem/waive", {"reason": "a drill that escaped"})
    assert world.alice.post(f"{path}/close")["status"] == "closed"


def test_closing_an_old_incident_leaves_the_pointers_of_a_newer_one_open(world: World) -> None:
    incident_id = world.opened(severity="SEV3")
    world.table.commit(
        recorded(world.stored(incident_id), "SignalJoined", actor=SYSTEM, at=world.clock(), text="joined", members=1),
        Put(Record(member_key(incident_id, "a"), {"dedup_key": "a"})),
        Put(Record(pointer_key("a"), {"open": True, "incident_id": incident_id, "state": "firing"})),
    )
    world.alice.post(f"/incidents/{incident_id}/resolve")
    world.table.write(Put(Record(pointer_key("a"), {"open": True, "incident_id": "INC-NEWER0", "state": "firing"})))
    world.alice.post(f"/incidents/{incident_id}/close")
    assert world.table.records[pointer_key("a")]["open"] is True
