"""The document tells everything a client needs."""

import re

from incidentio.api.app import create_app
from tests.unit.api.conftest import World

ROUTES = {
    "/deploys": {"get", "post"},
    "/incidents": {"get", "post"},
    "/incidents/{incident_id}": {"get", "patch"},
    **{
        f"/incidents/{{incident_id}}/{verb}": {"post"}
        for verb in (
            "acknowledge", "mitigate", "resolve", "close", "reopen", "cancel", "merge", "split", "notes", "roles",
            "severity", "postmortem/review", "postmortem/waive",
        )
    },
    **{
        f"/incidents/{{incident_id}}/{noun}": {"get"}
        for noun in ("timeline", "why", "verify", "postmortem", "approvals")
    },
    "/playbooks": {"get"},
    "/playbooks/{name}/history": {"get"},
    "/playbooks/{name}/rehearsals": {"post"},
    "/incidents/{incident_id}/playbooks/{name}": {"post"},
    "/runs/{run_id}/restore": {"post"},
    "/approvals/{approval_id}": {"post"},
    "/hands-off": {"get", "post"},
    "/integrations": {"get", "post"},
    "/integrations/{name}": {"delete"},
    "/integrations/{name}/changes": {"get"},
    "/integrations/{name}/rotate": {"post"},
    "/silences": {"get", "post"},
    "/silences/{silence_id}/expire": {"post"},
    "/maintenance": {"get", "post"},
    "/maintenance/{window_id}/end": {"post"},
    "/reports/noise": {"get"},
}  # fmt: skip


def test_every_route_is_described(world: World) -> None:
    document = world.alice.get("/openapi.json")
    assert {path: set(item) for path, item in document["paths"].items()} == ROUTES
    assert document["openapi"].startswith("3.1")
    assert document["security"] == [{"iam": []}]
    assert document["components"]["securitySchemes"]["iam"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_every_operation_is_complete(world: World) -> None:
    document = world.alice.get("/openapi.json")
    for path, item in document["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["tags"], where
            responses = operation["responses"]
            (success,) = [code for code in responses if code.startswith("2")]
            assert "$ref" in responses[success]["content"]["application/json"]["schema"], where
            for code in ("400", "404", "409", "500"):
                assert responses[code]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorBody"), where
            assert "422" not in responses, where
            named = {p["name"] for p in operation.get("parameters", [])}
            assert set(re.findall(r"{(\w+)}", path)) <= named, where
            if method in ("post", "patch"):
                assert {"Idempotency-Key", "If-Match"} <= named, where


def test_every_reference_resolves(world: World) -> None:
    document = world.alice.get("/openapi.json")
    referenced = set(re.findall(r"#/components/schemas/([\w-]+)", str(document)))
    assert referenced == set(document["components"]["schemas"])


def test_operation_ids_are_unique(world: World) -> None:
    document = world.alice.get("/openapi.json")
    ids = [op["operationId"] for item in document["paths"].values() for op in item.values()]
    assert len(ids) == len(set(ids))


def test_the_document_is_the_same_whatever_was_asked_before(world: World) -> None:
    before = world.alice.get("/openapi.json")
    later = World()
    later.alice.get("/reports/noise")
    after = later.alice.get("/openapi.json")
    assert after == before
    assert list(after["paths"]) == list(before["paths"])


def test_apps_do_not_share_state() -> None:
    assert World().app is not World().app
    assert create_app.__kwdefaults__["retention_mode"] == "GOVERNANCE"
