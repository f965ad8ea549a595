"""Limits of API Gateway: never raised, found by name, with the block of settings that a method has for them."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions import Action, compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

TARGET = f"AWS::ApiGateway::Stage|{PLACE.account}|{PLACE.region}|shop/live"
BLOCK = {
    "metricsEnabled": False,
    "loggingLevel": "OFF",
    "dataTraceEnabled": False,
    "throttlingRateLimit": 1000.0,
    "throttlingBurstLimit": 500,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
}


def stage(**given: Any) -> Action[Any]:
    return prepared("throttle-stage", {"rate": 10, "burst": 20, **given}, TARGET, PLACE)


def plan(**given: Any) -> Action[Any]:
    told = {"usage_plan": "plan1", "rate": 10, "burst": 20, **given}
    return prepared("throttle-usage-plan", told, TARGET, PLACE)


def gateway(settings: Any = None, **answers: Any) -> Answers:
    """Two APIs on two pages; `shop` is the second."""

    def apis(position: str = "", **_: Any) -> dict[str, Any]:
        if not position:
            return {"items": [{"id": "aaa", "name": "other"}], "position": "2"}
        return {"items": [{"id": "bbb", "name": "shop"}]}

    return Answers(
        **{
            "get_rest_apis": apis,
            "get_stage": {"stageName": "live", "methodSettings": settings or {}},
            "update_stage": {},
            "update_usage_plan": {},
            **answers,
        }
    )


def written(call: Answers) -> dict[str, str]:
    (asked,) = call.of("update_stage")
    assert (asked["restApiId"], asked["stageName"]) == ("bbb", "live")
    return {f"{p['op']} {p['path']}": p.get("value", "") for p in asked["patchOperations"]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1000.0, 500), {"rate": 10.0, "burst": 20}),
        ((5.0, 500), {"rate": 5.0, "burst": 20}),
        ((1000.0, 3), {"rate": 10.0, "burst": 3}),
        ((-1.0, -1), {"rate": 10.0, "burst": 20}),
    ],
)
def test_a_limit_is_never_raised(before: tuple[float, int], after: dict[str, Any]) -> None:
    call = gateway({"*/*": {**BLOCK, "throttlingRateLimit": before[0], "throttlingBurstLimit": before[1]}})
    assert compare_and_set.snapshot(stage(), call)["snapshot"]["after"] == after


def test_a_limit_that_is_low_already_is_refused() -> None:
    call = gateway({"*/*": {**BLOCK, "throttlingRateLimit": 10.0, "throttlingBurstLimit": 20}})
    with pytest.raises(Conflict, match="is 10 requests a second, 20 at once already"):
        compare_and_set.snapshot(stage(), call)


def test_the_first_limit_of_a_method_keeps_what_the_stage_says() -> None:
    call = gateway({"*/*": {**BLOCK, "loggingLevel": "ERROR", "metricsEnabled": True}})
    doing = stage(method="GET /pets/{id}")
    taken = compare_and_set.snapshot(doing, call)["snapshot"]
    assert taken["before"] is None
    compare_and_set.apply(doing, call, taken)
    at = "replace /~1pets~1{id}/GET"
    assert written(call) == {
        f"{at}/throttling/rateLimit": "10",
        f"{at}/throttling/burstLimit": "20",
        f"{at}/metrics/enabled": "true",
        f"{at}/logging/loglevel": "ERROR",
    }


@pytest.mark.parametrize("key", ["pets/{id}/GET", "/pets/{id}/GET", "~1pets~1{id}/GET"])
def test_the_block_goes_with_the_limit_unless_somebody_said_more(key: str) -> None:
    ours = {**BLOCK, "throttlingRateLimit": 10.0, "throttlingBurstLimit": 20}
    taken, doing = {"before": None, "after": {"burst": 20, "rate": 10.0}}, stage(method="GET /pets/{id}")
    call = gateway({key: ours})
    assert compare_and_set.rollback(doing, call, taken)["result"] == "restored"
    assert written(call) == {"remove /~1pets~1{id}/GET": ""}
    call = gateway({key: {**ours, "loggingLevel": "INFO"}})
    assert compare_and_set.rollback(doing, call, taken)["result"] == "restored"
    at = "replace /~1pets~1{id}/GET/throttling"
    assert written(call) == {f"{at}/rateLimit": "-1", f"{at}/burstLimit": "-1"}


def test_an_api_is_found_by_name_on_any_page_or_not_at_all() -> None:
    with pytest.raises(NotFound):
        compare_and_set.snapshot(stage(), gateway(get_rest_apis={"items": [{"id": "aaa", "name": "other"}]}))
    twins = {"items": [{"id": "aaa", "name": "shop"}, {"id": "bbb", "name": "shop"}]}
    with pytest.raises(Conflict, match=r"say which by api_id \(aaa, bbb\)"):
        compare_and_set.snapshot(stage(), gateway(get_rest_apis=twins))
    call = gateway({"*/*": BLOCK}, get_rest_apis=twins)
    assert compare_and_set.snapshot(stage(api_id="bbb"), call)["snapshot"]["before"] == {"burst": 500, "rate": 1000.0}


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ([{"apiId": "ccc", "stage": "live"}], "does not cover stage shop/live"),
        ([{"apiId": "bbb", "stage": "live"}, {"apiId": "bbb", "stage": "test"}], "covers 2 stages, and at most 1"),
    ],
)
def test_a_usage_plan_must_be_of_this_stage_alone(stages: list[dict[str, str]], told: str) -> None:
    call = gateway(get_usage_plan={"id": "plan1", "apiStages": stages})
    with pytest.raises(Conflict, match=told):
        compare_and_set.snapshot(plan(), call)


def test_what_has_become_ours_is_still_given_back() -> None:
    """A tag refuses a change, and never an undo."""
    call = gateway()
    call.answers["get_stage"] = {
        "stageName": "live",
        "tags": {"incidentio:automation": "no"},
        "methodSettings": {"*/*": {**BLOCK, "throttlingRateLimit": 10.0, "throttlingBurstLimit": 20}},
    }
    taken = {"before": {"burst": 500, "rate": 1000.0}, "after": {"burst": 20, "rate": 10.0}}
    assert compare_and_set.rollback(stage(), call, taken)["result"] == "restored"
