"""Sizes of an Auto Scaling group: the bounds its owner set hold, and so does who else sizes it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions import compare_and_set, prepared
from incidentio.mitigate.actions.action import Action
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE


def on(name: str, **given: Any) -> Action[Any]:
    return prepared(name, given, f"AWS::AutoScaling::AutoScalingGroup|{PLACE.account}|{PLACE.region}|workers", PLACE)


def group(**more: Any) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": "workers",
        "MinSize": 2,
        "MaxSize": 20,
        "DesiredCapacity": 8,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["eu-west-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": datetime(2026, 3, 1, tzinfo=UTC),
        **more,
    }


def there(*pages: list[dict[str, Any]]) -> Answers:
    found = pages or ([group()],)

    def described(**given: Any) -> dict[str, Any]:
        number = int(given.get("NextToken", 0))
        more = {"NextToken": str(number + 1)} if number + 1 < len(found) and "MaxRecords" in given else {}
        return {"AutoScalingGroups": found[number], **more}

    return Answers(describe_auto_scaling_groups=described, update_auto_scaling_group={}, set_desired_capacity={})


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("set-group-maximum", {"value": 7}, "wants 8 instances now: .* would terminate 1 of them; use 8 or more"),
        ("set-group-maximum", {"value": 1, "shrink": True}, "keeps at least 2 instances"),
        ("set-group-maximum", {"value": 20}, "is 20 already: 20 would not lower it"),
        ("set-group-capacity", {"add": 13, "max": 50}, "use add between -6 and 12, or raise its maximum"),
        ("set-group-capacity", {"add": -7, "max": 50}, "1 is outside"),
        ("set-group-capacity", {"add": 1, "max": 8}, "no room below max 8"),
    ],
)
def test_a_size_outside_the_bounds_is_refused_with_what_would_do(name: str, given: Any, told: str) -> None:
    with pytest.raises(Conflict, match=told):
        compare_and_set.snapshot(on(name, **given), there())


@pytest.mark.parametrize("tag", ["eks:nodegroup-name", "AWSBatchServiceTag"])
def test_a_group_that_another_service_sizes_is_left_to_it(tag: str) -> None:
    owned = there([group(Tags=[{"Key": tag, "Value": "x"}])])
    for name, given in (("set-group-maximum", {"value": 9}), ("set-group-capacity", {"add": 1, "max": 50})):
        with pytest.raises(Conflict, match="belongs to"):
            compare_and_set.snapshot(on(name, **given), owned)


def test_a_group_that_starts_nothing_is_not_asked_to() -> None:
    halted = there([group(SuspendedProcesses=[{"ProcessName": "Launch"}])])
    with pytest.raises(Conflict, match="has its Launch process suspended"):
        compare_and_set.snapshot(on("set-group-capacity", add=1, max=50), halted)
    assert compare_and_set.snapshot(on("set-group-capacity", add=-1, max=50), halted)["snapshot"]["after"] == 7


def test_a_group_on_its_way_out_is_not_there() -> None:
    with pytest.raises(NotFound):
        compare_and_set.snapshot(on("set-group-maximum", value=9), there([group(Status="Delete in progress")]))


def test_it_is_one_of_all_groups_on_all_pages() -> None:
    reach = on("set-group-maximum", value=9).reach(there([group()] * 100, [group()] * 3))
    assert (reach.targets, reach.of) == (1, 103)


def test_shrinking_sets_both_in_one_call() -> None:
    call, cap = there(), on("set-group-maximum", value=5, shrink=True)
    taken = compare_and_set.snapshot(cap, call)["snapshot"]
    assert taken == {"before": {"max": 20, "desired": 8}, "after": {"max": 5, "desired": 5}}
    compare_and_set.apply(cap, call, taken)
    assert call.of("update_auto_scaling_group") == [
        {"AutoScalingGroupName": "workers", "MaxSize": 5, "DesiredCapacity": 5}
    ]


def test_instances_of_a_weighted_type_count_for_their_weight() -> None:
    def instance(id: str, **more: Any) -> dict[str, Any]:
        fixed = {"AvailabilityZone": "eu-west-1a", "HealthStatus": "Healthy", "ProtectedFromScaleIn": False}
        return {"InstanceId": id, "LifecycleState": "InService", **fixed, **more}

    weighted = there(
        [group(Instances=[instance("a", WeightedCapacity="4"), instance("b"), instance("c", LifecycleState="Pending")])]
    )
    assert on("set-group-capacity", add=1, max=9).pending(weighted, 5) is None
    assert on("set-group-capacity", add=1, max=9).pending(weighted, 6) == "5 of 6 are in service so far"
    assert on("set-group-maximum", value=4).pending(weighted, {"max": 4}) == "2 above it are still being terminated"
