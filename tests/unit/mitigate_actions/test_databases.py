"""What only RDS itself shows: a failover under way, one just over, maintenance that waits, a replica."""

from datetime import UTC, datetime
from typing import Any

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import Action, compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import ARN, PLACE

TARGET = f"AWS::RDS::DBInstance|{PLACE.account}|{PLACE.region}|orders-a"
THEN = datetime(2026, 3, 1, 12, 4, tzinfo=UTC)
ALONE = {
    "DBInstanceIdentifier": "orders-a",
    "DBInstanceArn": ARN("rds", "db:orders-a"),
    "DBInstanceStatus": "available",
    "Engine": "mysql",
    "EngineVersion": "8.4.3",
    "DBInstanceClass": "db.r6g.large",
    "MultiAZ": True,
    "AvailabilityZone": "eu-west-1a",
    "SecondaryAvailabilityZone": "eu-west-1b",
    "AllocatedStorage": 100,
}


def failover(**given: Any) -> Action[Any]:
    return prepared("fail-over-database", given, TARGET, PLACE)


def answers(instance: dict[str, Any] | None = None, **more: Any) -> Answers:
    return Answers(
        **{
            "describe_db_instances": {"DBInstances": [{**ALONE, **(instance or {})}]},
            "describe_events": {"Events": []},
            "get_metric_statistics": {"Datapoints": []},
            "describe_pending_maintenance_actions": {"PendingMaintenanceActions": []},
            "reboot_db_instance": {},
            **more,
        }
    )


def test_an_answer_that_was_lost_is_no_second_failover() -> None:
    """AWS shows the old zone for minutes: only its events tell that a failover has begun."""
    call, doing = answers(), failover()
    taken = compare_and_set.snapshot(doing, call)["snapshot"]
    compare_and_set.apply(doing, call, taken)
    call.answers["describe_events"] = {"Events": [{"Message": "Multi-AZ instance failover started.", "Date": THEN}]}
    with pytest.raises(Conflict, match="failed over in the last 15 minutes"):
        compare_and_set.apply(failover(), call, taken)
    assert len(call.of("reboot_db_instance")) == 1


def test_it_is_in_effect_once_the_standby_serves() -> None:
    call, doing = answers(), failover()
    taken = compare_and_set.snapshot(doing, call)["snapshot"]
    assert not compare_and_set.verify(doing, call, taken)["verified"]
    there = {"AvailabilityZone": "eu-west-1b", "SecondaryAvailabilityZone": "eu-west-1a"}
    call = answers({**there, "DBInstanceStatus": "rebooting"})
    assert compare_and_set.verify(failover(), call, taken)["summary"].endswith("eu-west-1b: it is rebooting")
    assert compare_and_set.verify(failover(), answers(there), taken)["verified"]


@pytest.mark.parametrize("status", ["modifying", "rebooting", "storage-full"])
def test_only_what_is_available_can_be_failed_over(status: str) -> None:
    with pytest.raises(Conflict, match=f"database orders-a is {status}"):
        compare_and_set.snapshot(failover(), answers({"DBInstanceStatus": status}))


def test_a_standby_is_no_reader() -> None:
    with pytest.raises(Conflict, match="is no member of a cluster"):
        compare_and_set.snapshot(failover(reader="orders-b"), answers())


def test_what_waits_and_what_happened_is_told() -> None:
    waiting = {
        "PendingMaintenanceActions": [
            {"PendingMaintenanceActionDetails": [{"Action": "system-update", "AutoAppliedAfterDate": THEN}]}
        ]
    }
    event = {"SourceIdentifier": "orders-a", "Message": "DB instance restarted.", "Date": THEN}
    call = answers(
        {
            "ReadReplicaSourceDBInstanceIdentifier": "orders",
            "ReadReplicaDBInstanceIdentifiers": ["orders-x"],
            "DBParameterGroups": [{"DBParameterGroupName": "tuned", "ParameterApplyStatus": "pending-reboot"}],
            "PendingModifiedValues": {"DBInstanceClass": "db.r6g.xlarge"},
            "MaxAllocatedStorage": 500,
        },
        describe_pending_maintenance_actions=waiting,
        describe_events={"Events": [event]},
        get_metric_statistics={"Datapoints": [{"Average": 2.0, "Maximum": 30.5}, {"Average": 4.0, "Maximum": 9.0}]},
    )
    looked = compare_and_set.plan(prepared("look-at-database", {}, TARGET, PLACE), call)["summary"]
    for fact in (
        "available: mysql 8.4.3 on db.r6g.large",
        "it is in eu-west-1a, its standby in eu-west-1b",
        "it is a replica of orders, at most 30.5 s behind",
        "it has a read replica, orders-x",
        "CPU 3 % on average, 30.5 % at most",
        "it grows up to 500 GiB",
        "changes of parameter group tuned wait for a restart",
        "modifications wait: DBInstanceClass",
        "maintenance waits: system-update from 2026-03-01 12:04 UTC",
        "12:04 UTC orders-a: DB instance restarted.",
    ):
        assert fact in looked


def test_who_writes_and_how_far_the_readers_are_behind_is_told() -> None:
    members = [
        {"DBInstanceIdentifier": name, "IsClusterWriter": name == "orders-b", "PromotionTier": tier}
        for name, tier in (("orders-a", 1), ("orders-b", 1), ("orders-c", 0))
    ]
    cluster = {
        "DBClusterIdentifier": "orders",
        "DBClusterArn": ARN("rds", "cluster:orders"),
        "Engine": "aurora-mysql",
        "Status": "available",
        "DBClusterMembers": members,
    }

    def measured(Dimensions: Any, MetricName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        lag = MetricName == "AuroraReplicaLag" and Dimensions[0]["Value"] == "orders-c"
        return {"Datapoints": [{"Average": 20.0, "Maximum": 1500.0}] if lag else []}

    call = answers(
        {"DBClusterIdentifier": "orders", "Engine": "aurora-mysql", "MultiAZ": False},
        describe_db_clusters={"DBClusters": [cluster]},
        get_metric_statistics=measured,
    )
    looked = compare_and_set.plan(prepared("look-at-database", {}, TARGET, PLACE), call)["summary"]
    for fact in (
        "it is a reader of cluster orders, which is available; orders-b writes",
        "reader orders-c is available, at most 1.5 s behind; reader orders-a is available",
        "how far behind was not measured",
        "not measured in the last 15 minutes: CPU, connections, free memory, requests that wait for the disk",
    ):
        assert fact in looked
    assert "GiB storage" not in looked
