"""The HTTP API as an engineer's script meets it: errors, versions, idempotency, the whole life of an incident."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests
from botocore.exceptions import ClientError

from tests.e2e.world import ANSWER_SECONDS, World, eventually

THROTTLE = "/incidents/{id}/playbooks/throttle-function"


def error_of(answer: requests.Response, status: int) -> dict:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details"}
    return error


def an_incident(world: World, **fields) -> dict:
    return world.alice.post("/incidents", {"title": f"by hand {world.tag}", **fields})


def test_an_unsigned_call_is_refused(world: World) -> None:
    assert requests.get(world.outputs["ApiUrl"].rstrip("/") + "/incidents", timeout=ANSWER_SECONDS).status_code == 403


def test_a_signed_call_without_permission_is_refused(world: World) -> None:
    nobody = world.person("nobody")
    world.client("iam").delete_user_policy(UserName=f"nobody-{world.tag}", PolicyName="api")
    assert nobody.call("GET", "/incidents").status_code == 403


@pytest.mark.parametrize("topic", ["PageTopicArn", "TicketTopicArn", "TestTopicArn", "SignalTopicArn"])
def test_nobody_publishes_to_our_topics_without_the_right_to(world: World, topic: str) -> None:
    theirs = world.client("sns", world.person("somebody"))
    with pytest.raises(ClientError, match="AuthorizationError"):
        theirs.publish(TopicArn=world.outputs[topic], Message="anything")


def test_the_whole_life_of_an_incident_opened_by_hand(world: World) -> None:
    incident = an_incident(world, severity="SEV2")
    path = f"/incidents/{incident['id']}"
    world.entry(incident["id"], "IncidentTriaged")
    world.alice.post(f"{path}/acknowledge")
    world.alice.post(f"{path}/notes", {"text": "looking at it, token AKIAIOSFODNN7EXAMPLE"})
    world.alice.post(f"{path}/roles", {"role": "incident_commander", "person": "alice"})
    world.alice.post(f"{path}/mitigate")
    world.alice.post(f"{path}/resolve")
    drafted = world.entry(incident["id"], "PostmortemDrafted")
    assert drafted["data"]
    assert error_of(world.alice.call("POST", f"{path}/close", {}), 409)["message"].count("postmortem") >= 1
    draft = world.alice.get(f"{path}/postmortem")
    assert incident["id"] in draft["markdown"]
    unfinished = world.alice.call("POST", f"{path}/postmortem/review", {"markdown": draft["markdown"]})
    assert error_of(unfinished, 400)["details"]["sections"] == ["Contributing factors", "Action items"]
    filled = "\n".join(line for line in draft["markdown"].splitlines() if not line.startswith("*To fill in"))
    world.alice.post(f"{path}/postmortem/review", {"markdown": filled})
    closed = world.alice.post(f"{path}/close")
    assert closed["status"] == "closed"
    notes = [e for e in world.timeline(incident["id"]) if e["type"] == "NoteAdded"]
    assert "AKIAIOSFODNN7EXAMPLE" not in str(notes)
    assert world.alice.get(f"{path}/verify")["ok"] is True


def test_a_reviewed_postmortem_is_locked_in_the_archive(world: World) -> None:
    incident = an_incident(world, severity="SEV2")
    path = f"/incidents/{incident['id']}"
    world.alice.post(f"{path}/resolve")
    world.alice.post(f"{path}/postmortem/review", {"markdown": "# What happened\n\nNothing twice.\n"})
    reviewed = world.entry(incident["id"], "PostmortemReviewed")["data"]
    storage = world.client("s3")
    version = {
        "Bucket": world.outputs["ArchiveBucketName"],
        "Key": reviewed["key"],
        "VersionId": reviewed["version_id"],
    }
    locked = storage.get_object_retention(**version)["Retention"]
    assert locked["Mode"] == reviewed["retention_mode"] == "GOVERNANCE"
    assert (locked["RetainUntilDate"] - datetime.now(UTC)).days >= 364
    with pytest.raises(ClientError, match="AccessDenied"):
        storage.delete_object(**version)
    world.alice.post(f"{path}/postmortem/review", {"markdown": "# Rewritten\n"})
    assert b"Nothing twice." in storage.get_object(**version)["Body"].read()


def test_a_waived_postmortem_closes_too(world: World) -> None:
    incident = an_incident(world, severity="SEV1")
    path = f"/incidents/{incident['id']}"
    world.alice.post(f"{path}/resolve")
    assert world.alice.call("POST", f"{path}/postmortem/waive", {}).status_code == 400
    world.alice.post(f"{path}/postmortem/waive", {"reason": "a drill that escaped"})
    assert world.alice.post(f"{path}/close")["status"] == "closed"


def test_two_people_transition_at_once_and_one_is_told_what_happened(world: World) -> None:
    incident = an_incident(world)
    people = [world.alice, world.bob]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda p: p.call("POST", f"/incidents/{incident['id']}/acknowledge", {}), people))
    assert sorted(a.status_code for a in answers) == [200, 409]
    refused = next(a for a in answers if a.status_code == 409)
    error = error_of(refused, 409)
    assert error["code"] == "illegal_transition"
    assert error["details"]["status"] == "acknowledged"
    assert "mitigated" in error["details"]["legal"]
    assert world.types(incident["id"]).count("IncidentAcknowledged") == 1


def test_a_stale_if_match_is_a_409_and_a_current_one_passes(world: World) -> None:
    incident = an_incident(world)
    triaged = world.entry(incident["id"], "IncidentTriaged")
    path = f"/incidents/{incident['id']}/acknowledge"
    current = world.incident(incident["id"])["version"]
    assert triaged["incident_version"] <= current
    error = error_of(world.alice.call("POST", path, {}, If_Match=str(current + 3)), 409)
    assert error["code"] == "version_conflict"
    assert error["details"]["version"] == current
    assert error_of(world.alice.call("POST", path, {}, If_Match="soon"), 400)
    assert world.alice.call("POST", path, {}, If_Match=str(current)).status_code == 200


def test_the_same_idempotency_key_acts_once(world: World) -> None:
    body = {"title": f"once {world.tag}"}
    key = f"key-{world.tag}"
    first = world.alice.call("POST", "/incidents", body, Idempotency_Key=key).json()
    second = world.alice.call("POST", "/incidents", body, Idempotency_Key=key).json()
    assert first["id"] == second["id"]
    path = f"/incidents/{first['id']}/acknowledge"
    codes = [world.alice.call("POST", path, {}, Idempotency_Key=key + "a").status_code for _ in range(2)]
    assert codes == [200, 200]
    assert world.types(first["id"]).count("IncidentAcknowledged") == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/incidents/INC-000000", None, (404, "INC-000000")),
        ("GET", "/incidents/nonsense", None, (400, "INC-7K3F9A")),
        ("GET", "/nowhere", None, (404, "")),
        ("GET", "/incidents?status=opened", None, (400, "acknowledged")),
        ("GET", "/incidents?cursor=zzz", None, (400, "cursor")),
        ("POST", "/incidents", {}, (400, "title")),
        ("POST", "/incidents", {"title": "x", "severity": "SEV9"}, (400, "SEV1")),
        ("POST", "/incidents/{id}/close", {}, (409, "resolved")),
        ("POST", "/incidents/{id}/cancel", {"reason": "bored"}, (400, "false_positive")),
        ("POST", "/incidents/{id}/notes", {"text": "x" * 5000}, (413, "4")),
        ("POST", "/incidents/{id}/playbooks/reboot-the-world", {}, (404, "throttle-function")),
        ("POST", THROTTLE, {"target": "f", "parameters": {"x": 1}}, (400, "limit")),
        ("POST", THROTTLE, {"target": "f", "parameters": {"limit": -1}}, (400, "limit")),
        ("POST", "/approvals/APR-NOSUCH", {"decision": "approve", "reason": "x"}, (404, "")),
    ],
)  # fmt: skip
def test_bad_input_gets_one_clear_answer(world: World, method, path, body, expected) -> None:
    incident = an_incident(world)
    answer = world.alice.call(method, path.format(id=incident["id"]), body)
    status, says = expected
    error = error_of(answer, status)
    assert says in error["message"] + str(error["details"])


def test_merge_and_split(world: World) -> None:
    one, two = world.alarm("one"), world.alarm("two")
    world.set_alarm(one, "ALARM")
    world.set_alarm(two, "ALARM")
    kept, gone = world.the_incident_of(one), world.the_incident_of(two)
    world.alice.post(f"/incidents/{gone['id']}/merge", {"into": kept["id"]})
    merged = world.until_status(gone["id"], "merged")
    assert merged["merged_into"] == kept["id"]
    assert world.incident(kept["id"])["members"] == 2
    world.set_alarm(two, "OK")
    world.entry(kept["id"], "SignalRecovered")
    world.set_alarm(two, "ALARM")
    eventually(lambda: world.incident(kept["id"])["firing"] == 2, "the moved signal to fire on its new incident")
    split = world.alice.post(f"/incidents/{kept['id']}/split", {"dedup_key": world.alarm_arn(two)})
    assert split["id"] not in (kept["id"], gone["id"])
    assert world.incident(kept["id"])["members"] == 1


def test_the_openapi_document_names_every_route(world: World) -> None:
    document = world.alice.get("/openapi.json")
    assert document["openapi"].startswith("3.")
    for path in ("/incidents", "/incidents/{incident_id}/timeline", "/approvals/{approval_id}", "/playbooks"):
        assert path in document["paths"], sorted(document["paths"])
