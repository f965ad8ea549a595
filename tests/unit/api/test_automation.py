"""Playbooks, approvals and hands-off through the API."""

from typing import Any

import pytest

from incidentio.core.ids import iso
from incidentio.core.incident import recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Key, Put, Record
from incidentio.mitigate.runs import ended as ended_as
from incidentio.mitigate.runs import load_run
from tests.unit.api.conftest import World


def requested(world: World, **body: Any) -> tuple[str, dict[str, Any]]:
    incident_id = world.opened()
    path = f"/incidents/{incident_id}/playbooks/throttle-function"
    return incident_id, world.alice.post(path, {"target": "checkout", **body})


def asked(world: World) -> tuple[str, str]:
    """A run waiting for approval, as the control function leaves it; its approval's id."""
    incident_id, run = requested(world)
    approval_id = f"APR-{incident_id[4:]}-" + "A" * 21
    body = {
        "id": approval_id, "run_id": run["run_id"], "status": "pending", "playbook": run["playbook"],
        "version": run["version"], "risk": run["risk"], "target": run["target"], "needed": 1, "token": "secret-token",
        "definition_hash": run["definition_hash"], "requested_at": iso(world.clock()),
        "expires_at": iso(world.clock.now.replace(minute=10)), "requester": run["requester"],
    }  # fmt: skip
    world.table.commit(
        recorded(world.stored(incident_id), "ApprovalRequested", actor=SYSTEM, at=world.clock(), text="asked"),
        Put(Record(Key(f"INC#{incident_id}", f"APPROVAL#{approval_id}"), body)),
    )
    return incident_id, approval_id


def test_the_playbooks_of_the_deployment(world: World) -> None:
    (playbook,) = world.alice.get("/playbooks")["items"]
    assert (playbook["name"], playbook["version"], playbook["risk"]) == ("throttle-function", "1.2.0", "disruptive")
    assert playbook["approvals"] == 1
    assert playbook["parameters"]["limit"]["maximum"] == 100
    assert playbook["when"] == ['metric="ConcurrentExecutions"']


def ended(world: World, status: str, **run: Any) -> None:
    """A run as the end of its machine leaves it."""
    incident_id, asked = requested(world, **run)
    stored = load_run(world.table, incident_id, asked["id"])
    _, writes = ended_as(world.table, stored, status, at=world.clock(), reason="")  # type: ignore[arg-type]
    world.table.write(*writes)


def test_how_a_playbook_did_is_told_of_each_version_and_risk(world: World) -> None:
    for status in ("succeeded", "succeeded", "rolled_back", "refused"):
        ended(world, status)
    found = world.alice.get("/playbooks")
    (playbook,) = found["items"]
    (version,) = playbook["versions"]
    assert (version["version"], version["definition_hash"]) == ("1.2.0", playbook["definition_hash"])
    assert (version["succeeded"], version["rolled_back"], version["refused"]) == (2, 1, 1)
    assert playbook["success_rate"] == version["success_rate"] == 66.7
    assert found["success_rate_by_risk"] == {"read_only": None, "safe": None, "disruptive": 66.7, "destructive": None}
    past = world.alice.get("/playbooks/throttle-function/history?limit=2")["items"]
    assert len(past) == 2
    assert world.alice.call("GET", "/playbooks/nope/history").status == 404
    asked(world)
    now, *rest = world.alice.get("/playbooks/throttle-function/history?limit=2")["items"]
    assert (now["outcome"], now["dry_run"], rest) == ("requested", False, past[:1])


def test_a_rehearsal_is_a_dry_run_of_its_own_and_the_same_key_is_the_same_one(world: World) -> None:
    path, body = "/playbooks/throttle-function/rehearsals", {"service": "checkout", "target": "checkout"}
    run = world.alice.post(path, body, Idempotency_Key="k")
    assert (run["status"], run["dry_run"]) == ("requested", True)
    assert world.alice.get(f"/incidents/{run['incident_id']}")["kind"] == "drill"
    assert world.alice.post(path, body, Idempotency_Key="k")["id"] == run["id"]
    assert world.alice.post(path, body)["id"] != run["id"]
    refused = world.alice.call("POST", path, {"service": "nope", "target": "checkout"})
    assert refused.status == 404
    assert refused.error["details"]["valid"]


def test_a_request_is_recorded_before_anything_starts(world: World) -> None:
    incident_id, run = requested(world, parameters={"limit": 5})
    assert run["status"] == "requested"
    assert run["parameters"] == {"limit": 5}
    assert run["target"] == "AWS::Lambda::Function|111122223333|eu-central-1|checkout"
    assert world.last(incident_id).type == "PlaybookRequested"
    assert world.alice.get(f"/incidents/{incident_id}")["runs"] == [run]


def test_asking_twice_is_asking_once(world: World) -> None:
    incident_id, run = requested(world)
    path = f"/incidents/{incident_id}/playbooks/throttle-function"
    assert world.alice.post(path, {"target": "checkout"})["id"] == run["id"]
    keyed = [world.alice.post(path, {"target": "orders"}, Idempotency_Key="k")["id"] for _ in range(2)]
    assert keyed[0] == keyed[1] != run["id"]
    assert world.alice.call("POST", path, {"target": "other"}, Idempotency_Key="k").status == 409


@pytest.mark.parametrize(
    ("name", "body", "status", "says"),
    [
        ("reboot-the-world", {}, 404, "incidentio playbooks list"),
        ("throttle-function", {"target": "f", "parameters": {"x": 1}}, 400, "limit"),
        ("throttle-function", {"target": "f", "parameters": {"limit": 101}}, 400, "100"),
        ("throttle-function", {"target": "f", "parameters": {"limit": "many"}}, 400, "integer"),
        ("throttle-function", {"target": "f", "parameters": {"limit": True}}, 400, "limit"),
        ("throttle-function", {"target": "f", "parameters": {"limit": 1.5}}, 400, "limit"),
        ("throttle-function", {}, 400, "target"),
    ],
)
def test_a_wrong_request_says_what_would_be_right(
    world: World, name: str, body: dict[str, Any], status: int, says: str
) -> None:
    incident_id = world.opened()
    answer = world.alice.call("POST", f"/incidents/{incident_id}/playbooks/{name}", body)
    assert answer.status == status
    assert says in answer.error["message"]
    assert world.table.types(incident_id) == ["IncidentTriggered"]


def test_an_approval_is_shown_without_its_token_and_decided_once(world: World) -> None:
    incident_id, approval_id = asked(world)
    (shown,) = world.alice.get(f"/incidents/{incident_id}/approvals")["items"]
    assert (shown["id"], shown["status"], shown["playbook"]) == (approval_id, "pending", "throttle-function")
    assert "secret-token" not in str(shown)
    path = f"/approvals/{approval_id}"
    assert world.alice.call("POST", path, {"decision": "approve", "reason": "mine"}).status == 403
    decided = world.bob.post(path.lower(), {"decision": "approve", "reason": "go"})
    assert decided["status"] == "approved"
    assert world.stored(incident_id).status == "acknowledged"
    assert world.person("carol").call("POST", path, {"decision": "reject"}).status in (409, 410)


def test_a_vote_sent_again_with_its_key_is_the_same_vote(world: World) -> None:
    incident_id, approval_id = asked(world)
    path, vote = f"/approvals/{approval_id}", {"decision": "approve"}
    first = world.bob.post(path, vote, Idempotency_Key="k")
    assert world.bob.post(path, vote, Idempotency_Key="k") == first
    assert world.bob.call("POST", path, vote, Idempotency_Key="k2").status == 409
    assert world.bob.call("POST", path, {"decision": "reject"}, Idempotency_Key="k").status == 409
    assert world.table.types(incident_id).count("ApprovalDecided") == 1


def test_an_expired_approval_is_gone(world: World) -> None:
    _, approval_id = asked(world)
    world.clock.advance(minutes=11)
    assert world.bob.call("POST", f"/approvals/{approval_id}", {"decision": "approve"}).status == 410


@pytest.mark.parametrize(("decision", "status"), [("maybe", 400), (None, 400)])
def test_a_decision_is_approve_or_reject(world: World, decision: str | None, status: int) -> None:
    _, approval_id = asked(world)
    assert world.bob.call("POST", f"/approvals/{approval_id}", {"decision": decision}).status == status


def test_unknown_approvals(world: World) -> None:
    for approval_id in ("APR-NOSUCH", "APR-000000-" + "A" * 21):
        assert world.bob.call("POST", f"/approvals/{approval_id}", {"decision": "approve"}).status == 404


def test_hands_off_everywhere_and_for_one_incident(world: World) -> None:
    incident_id = world.opened()
    assert world.alice.post("/hands-off", {"scope": "all", "on": True, "reason": "freeze"})["scope"] == "global"
    assert world.alice.post("/hands-off", {"scope": "checkout", "on": True})["scope"] == "service#checkout"
    assert world.alice.post("/hands-off", {"scope": "throttle-function", "on": False})["scope"] == (
        "playbook#throttle-function"
    )
    switches = {s["scope"]: s["on"] for s in world.alice.get("/hands-off")["items"]}
    assert switches == {"global": True, "service#checkout": True, "playbook#throttle-function": False}
    one = world.alice.post("/hands-off", {"scope": incident_id.lower(), "on": True, "reason": "by hand"})
    assert (one["scope"], one["on"]) == (incident_id, True)
    assert world.alice.get(f"/incidents/{incident_id}")["hands_off"] is True
    assert world.last(incident_id).type == "HandsOffChanged"


def test_hands_off_of_a_service_that_only_an_incident_names(world: World) -> None:
    incident_id = world.opened(service="reports")
    assert world.alice.post("/hands-off", {"scope": "reports", "on": True})["scope"] == "service#reports"
    answer = world.alice.call("POST", "/hands-off", {"scope": "report", "on": True})
    assert "reports" in answer.error["message"]
    world.alice.post(f"/incidents/{incident_id}/cancel", {"reason": "test"})
    assert [(s["scope"], s["on"]) for s in world.alice.get("/hands-off")["items"]] == [("service#reports", True)]
    assert world.alice.post("/hands-off", {"scope": "reports", "on": False})["on"] is False


def test_hands_off_of_nothing_known_names_what_there_is(world: World) -> None:
    answer = world.alice.call("POST", "/hands-off", {"scope": "chekout", "on": True})
    assert answer.status == 404
    assert "service#checkout" in answer.error["details"]["valid"]
    assert world.alice.call("POST", "/hands-off", {"scope": "all"}).status == 400


def borrowed(world: World, *, status: str = "open") -> tuple[str, str]:
    """A run that succeeded and whose change is out on loan, as the control function leaves it."""
    incident_id, run = requested(world)
    until = world.clock.now.replace(hour=16)
    key = Key(f"INC#{incident_id}", f"RUN#{run['id']}")
    lease = {"opened_at": iso(world.clock()), "at_latest": iso(until), "status": status, "attempts": 0}
    body = {**world.table.records[key], "status": "succeeded", "lease": lease}
    world.table.commit(
        recorded(world.stored(incident_id), "LeaseOpened", actor=SYSTEM, at=world.clock(), text="lent", open_leases=1),
        Put(Record(key, body)),
    )
    return incident_id, str(run["id"])


def test_what_was_borrowed_can_be_had_back_now(world: World) -> None:
    incident_id, run_id = borrowed(world)
    for _ in range(2):
        run = world.alice.post(f"/runs/{run_id.lower()}/restore", Idempotency_Key="k")
        assert run["lease"]["at_latest"] == world.clock().isoformat().replace("+00:00", "Z")
    assert world.table.types(incident_id).count("NoteAdded") == 1
    assert world.table.records[Key("LEASES", run_id)]["at_latest"] == iso(world.clock())


def test_a_loan_that_failed_ends_by_hand_and_the_incident_can_close(world: World) -> None:
    incident_id, run_id = borrowed(world, status="failed")
    world.alice.post(f"/incidents/{incident_id}/severity", {"severity": "SEV4", "reason": "small"})
    world.alice.post(f"/incidents/{incident_id}/resolve")
    assert world.alice.call("POST", f"/incidents/{incident_id}/close").status == 409
    for _ in range(2):
        run = world.bob.post(f"/runs/{run_id}/restore", {"by_hand": "function was deleted"}, Idempotency_Key="k")
        assert run["lease"]["status"] == "by_hand"
    assert world.bob.call("POST", f"/runs/{run_id}/restore").status == 409
    assert world.alice.post(f"/incidents/{incident_id}/close")["status"] == "closed"


@pytest.mark.parametrize("run_id", ["RUN-NOSUCH", "RUN-7K3F9A-00000000", "x"])
def test_unknown_runs(world: World, run_id: str) -> None:
    assert world.bob.call("POST", f"/runs/{run_id}/restore").status == 404
