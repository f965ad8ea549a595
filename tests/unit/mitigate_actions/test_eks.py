"""EKS takes its time and says what is wrong: updates under way, health issues, nodes that are not there yet."""

from datetime import UTC, datetime
from typing import Any

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import compare_and_set, prepared
from incidentio.mitigate.actions.action import Action
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

THEN = datetime(2026, 3, 1, 12, 4, tzinfo=UTC)


def on(name: str, type: str, target: str, **given: Any) -> Action[Any]:
    return prepared(name, given, f"{type}|{PLACE.account}|{PLACE.region}|{target}", PLACE)


def tier(**given: Any) -> Action[Any]:
    return on("raise-control-plane-tier", "AWS::EKS::Cluster", "shop", **({"tier": "tier-xl"} | given))


def update(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "VersionUpdate", "status": "Successful", "createdAt": THEN, **more}


def cluster(status: str, *updates: dict[str, Any], **more: Any) -> Answers:
    known = {u["id"]: u for u in updates}
    return Answers(
        describe_cluster={"cluster": {"name": "shop", "status": status, "version": "1.33", **more}},
        list_updates={"updateIds": list(known)},
        describe_update=lambda **given: {"update": known[given["updateId"]]},
        update_cluster_config={},
    )


COMING = update(
    "u2",
    type="ControlPlaneScalingConfigUpdate",
    status="InProgress",
    params=[{"type": "PreviousTier", "value": "standard"}, {"type": "UpdatedTier", "value": "tier-xl"}],
)


def test_a_cluster_without_a_tier_is_standard() -> None:
    assert tier().read(cluster("ACTIVE")) == "standard"


def test_the_tier_that_eks_is_setting_is_the_value_so_that_an_undo_sees_it() -> None:
    under_way = cluster("UPDATING", update("u1"), COMING, controlPlaneScalingConfig={"tier": "standard"})
    taken = {"before": "standard", "after": "tier-xl"}
    applied = compare_and_set.apply(tier(), under_way, taken)
    assert applied["applied"]
    assert not under_way.of("update_cluster_config")
    confirmed = compare_and_set.verify(tier(), under_way, taken)
    assert not confirmed["verified"]
    assert confirmed["summary"].endswith("is tier-xl: EKS is still updating it")
    compare_and_set.rollback(tier(), under_way, taken)
    assert under_way.of("update_cluster_config") == [
        {"name": "shop", "controlPlaneScalingConfig": {"tier": "standard"}}
    ]


def test_it_never_lowers_a_tier() -> None:
    with pytest.raises(Conflict, match="is tier-4xl already: tier-2xl would not raise it"):
        tier(tier="tier-2xl").wanted("tier-4xl")


def nodes(running: int, status: str = "ACTIVE") -> Answers:
    group = {
        "AutoScalingGroupName": "eks-workers",
        "MinSize": 1,
        "MaxSize": 4,
        "DesiredCapacity": 3,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["eu-west-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": THEN,
        "Instances": [
            {
                "InstanceId": f"i-{n}",
                "AvailabilityZone": "eu-west-1a",
                "LifecycleState": "InService" if n < running else "Pending",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
            }
            for n in range(3)
        ],
    }
    nodegroup = {
        "status": status,
        "scalingConfig": {"desiredSize": 3, "maxSize": 4, "minSize": 1},
        "resources": {"autoScalingGroups": [{"name": "eks-workers"}]},
    }
    return Answers(
        describe_nodegroup={"nodegroup": nodegroup}, describe_auto_scaling_groups={"AutoScalingGroups": [group]}
    )


@pytest.mark.parametrize(
    ("call", "still"),
    [
        (nodes(3), None),
        (nodes(1), "1 of 3 nodes run so far"),
        (nodes(3, "UPDATING"), "EKS is still updating it"),
    ],
)
def test_nodes_are_there_when_they_run(call: Answers, still: str | None) -> None:
    sized = on("set-nodegroup-size", "AWS::EKS::Nodegroup", "shop/workers", add=1, max=9)
    assert sized.pending(call, {"desired": 3, "max": 4, "min": 1}) == still


@pytest.mark.parametrize(
    ("add", "most", "after"),
    [
        (1, 9, {"desired": 4, "max": 4, "min": 2}),
        (5, 9, {"desired": 8, "max": 8, "min": 2}),
        (5, 6, {"desired": 6, "max": 6, "min": 2}),
        (-5, 9, {"desired": 2, "max": 4, "min": 2}),
    ],
)
def test_the_maximum_is_raised_only_as_far_as_needed(add: int, most: int, after: dict[str, int]) -> None:
    sized = on("set-nodegroup-size", "AWS::EKS::Nodegroup", "shop/workers", add=add, max=most)
    assert sized.wanted({"desired": 3, "max": 4, "min": 2}) == after


def test_what_eks_has_against_a_cluster_is_told() -> None:
    call = cluster(
        "ACTIVE",
        update("u1", type="AddonUpdate", status="Failed", errors=[{"errorMessage": "no capacity"}]),
        update("u2", params=[{"type": "Version", "value": "1.33"}], createdAt=THEN.replace(hour=13)),
        platformVersion="eks.9",
        health={"issues": [{"code": "Ec2SubnetNotFound", "message": "gone", "resourceIds": ["subnet-1"]}]},
    )
    call.answers |= {
        "list_nodegroups": {"nodegroups": ["workers"]},
        "describe_nodegroup": {
            "nodegroup": {
                "status": "DEGRADED",
                "version": "1.32",
                "scalingConfig": {"desiredSize": 4, "maxSize": 4, "minSize": 1},
                "health": {"issues": [{"code": "NodeCreationFailure", "message": "2 nodes did not join"}]},
            }
        },
        "list_addons": {"addons": ["coredns", "vpc-cni"]},
        "describe_addon": lambda **given: {
            "addon": {"status": "ACTIVE" if given["addonName"] == "coredns" else "DEGRADED", "addonVersion": "v1"}
        },
    }
    looked = on("look-at-cluster", "AWS::EKS::Cluster", "shop").facts(call)
    assert looked == (
        "it is ACTIVE, Kubernetes 1.33 (eks.9), control plane tier standard",
        "the cluster has Ec2SubnetNotFound: gone (subnet-1)",
        "node group workers is DEGRADED, Kubernetes 1.32, wants 4 nodes (1 to 4): it is at its maximum",
        "node group workers has NodeCreationFailure: 2 nodes did not join",
        "add-on vpc-cni v1 is DEGRADED",
        "add-ons that are ACTIVE: coredns v1",
        "2026-03-01 13:04 UTC VersionUpdate Successful: Version 1.33",
        "2026-03-01 12:04 UTC AddonUpdate Failed (no capacity)",
    )
