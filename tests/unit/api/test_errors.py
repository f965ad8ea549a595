"""Every failure has one shape, one status, and no internals."""

import pytest

from incidentio.api.app import dispatch, handle
from incidentio.api.errors import STATUS, status_of
from incidentio.core import errors
from incidentio.core.errors import Forbidden, IncidentioError
from tests.unit.api.conftest import World


def every(cls: type[IncidentioError]) -> list[type[IncidentioError]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in every(sub))]


def test_every_error_of_ours_has_a_status() -> None:
    declared = [e for e in every(IncidentioError) if e.__module__ == errors.__name__ and e is not IncidentioError]
    assert len(declared) >= 9
    assert {e.__name__: status_of(e("x")) for e in declared if status_of(e("x")) == 500} == {}
    assert status_of(errors.TooLarge("x")) == 413
    assert status_of(errors.VersionConflict("x")) == status_of(errors.IllegalTransition("x")) == 409
    assert set(STATUS.values()) == {400, 403, 404, 409, 410, 413, 503}


def test_what_aws_refuses_to_us_is_not_the_callers_fault() -> None:
    assert status_of(Forbidden("reading: AccessDenied", aws_code="AccessDenied")) == 503


def test_an_unknown_route_is_a_404(world: World) -> None:
    for method, path in [("GET", "/nowhere"), ("GET", "/nowhere?x=1"), ("PUT", "/incidents"), ("GET", "/")]:
        answer = world.alice.call(method, path)
        assert answer.status == 404
        assert "/openapi.json" in answer.error["message"]


def test_a_defect_shows_only_its_correlation_id(world: World) -> None:
    incident_id = world.opened()

    def explode() -> None:
        raise RuntimeError("secret internals")

    world.table.before_commit.append(explode)
    answer = world.alice.call("POST", f"/incidents/{incident_id}/acknowledge", {})
    assert answer.status == 500
    assert answer.error["code"] == "internal_error"
    assert answer.error["details"] == {"correlation_id": "req-1"}
    assert "secret" not in str(answer.body)
    assert [(cid, str(e)) for cid, e in world.defects] == [("req-1", "secret internals")]


def test_every_answer_carries_the_correlation_id(world: World) -> None:
    assert world.alice.call("GET", "/playbooks").headers["x-correlation-id"] == "req-1"
    assert world.alice.call("GET", "/nowhere").headers["x-correlation-id"] == "req-1"


@pytest.mark.parametrize(
    "raw",
    ["{", "nonsense", '{"title": NaN}', "[" * 5000, '{"title": "\\ud800"}', '{"title": ' + "9" * 5000 + "}", '""'],
)
def test_a_body_that_is_not_json_we_can_store(world: World, raw: str) -> None:
    answer = world.alice.call("POST", "/incidents", raw=raw)
    assert answer.status == 400
    assert answer.error["code"] == "invalid_input"


@pytest.mark.parametrize("encoded", ["/w==", "%%%"])
def test_a_body_that_is_not_text(world: World, encoded: str) -> None:
    event = {
        "httpMethod": "POST", "path": "/incidents", "headers": {}, "body": encoded, "isBase64Encoded": True,
        "requestContext": {"requestId": "r", "stage": "v1", "path": "/v1/incidents", "identity": {"userArn": "a"}},
    }  # fmt: skip
    assert handle(world.app, event, None)["statusCode"] == 400


def test_a_huge_body_is_not_even_read(world: World) -> None:
    answer = world.alice.call("POST", "/incidents", {"title": "x", "note": "y" * 70_000})
    assert (answer.status, answer.error["code"]) == (413, "too_large")
    assert answer.error["details"]["limit"] == 65536


def test_another_content_type_is_refused(world: World) -> None:
    answer = world.alice.call("POST", "/incidents", raw="<a/>", Content_Type="application/xml")
    assert answer.status == 400


def test_dispatch_is_the_same_api_without_http(world: World) -> None:
    status, incident = dispatch(
        world.app, "post", "/incidents", {}, {"idempotency-key": "k"}, {"title": "x"}, world.alice.arn
    )
    assert status == 201
    status, page = dispatch(world.app, "GET", "/incidents", {"status": "open"}, {}, None, world.alice.arn)
    assert (status, [card["id"] for card in page["items"]]) == (200, [incident["id"]])
    assert dispatch(world.app, "GET", "/incidents/INC-000000", user_arn=world.alice.arn)[0] == 404
